//! RDP: the X.224 connection, what authenticates behind TLS, MCS, and what it carries (\[MS-RDPBCGR\], \[MS-CSSP\]).

mod connect;
mod credssp;
mod decoded;
pub(crate) mod der;
mod foreign;
mod frames;
mod gcc;
pub mod inner;
pub mod kdc;
mod marks;
pub mod mcs;
mod ntlm;
pub mod prelude;
mod rdsaad;
mod rdstls;
mod redirection;
mod share;
pub(crate) mod spnego;
#[cfg(test)]
mod tests;
pub mod tpkt;
pub(crate) mod wire;
pub mod x224;
