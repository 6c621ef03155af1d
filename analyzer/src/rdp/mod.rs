//! RDP as it stands in clear: the X.224 connection, and MCS where no TLS is agreed on (\[MS-RDPBCGR\]).

mod foreign;
pub mod inner;
pub mod mcs;
pub mod prelude;
#[cfg(test)]
mod tests;
pub mod tpkt;
pub mod x224;
