//! Tables of numbers and their names, as the specifications give them. Any room may look something up here.

mod cipher_suites;
pub mod tls;
