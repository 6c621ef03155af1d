//! How long the messages are by which the connection sequence is told: plaintext of TLS, bytes.
//!
//! Where there are two lengths, they are the sum of the headers, as the protocols write them down. What is long is told by
//! the least that it has: a round number below that sum, not fitted to any peer, but chosen with captures at hand. Where two
//! lengths stand, some peers write a length of PER in two bytes that others write in one (T.125, X.691 10.9).

use super::plain::Plain;

/// The shortest and the longest.
pub(in crate::timeline) type Shape = (u32, u32);

/// Early User Authorization Result, \[MS-RDPBCGR\] 2.2.10.2.
pub const AUTHORIZATION: Shape = (4, 4);
/// A TSRequest of nothing but a version and an errorCode, \[MS-CSSP\] 2.2.1.
pub const ERROR_CODE: Shape = (15, 17);
/// MCS Connect Initial at least: X.224, the domain parameters, GCC's header, core and security data; 2.2.1.3.
pub const CONNECT_INITIAL: u32 = 250;
/// Erect Domain Request, 2.2.1.5: two integers of one to four bytes.
pub const ERECT_DOMAIN: Shape = (12, 18);
/// Attach User Request, 2.2.1.6.
pub const ATTACH_USER: Shape = (8, 8);
/// Attach User Confirm, with or without a user, 2.2.1.7.
pub const ATTACH_CONFIRM: Shape = (9, 11);
/// Channel Join Request, 2.2.1.8.
pub const JOIN: Shape = (12, 12);
/// Channel Join Confirm, with or without a channel, 2.2.1.9.
pub const JOIN_CONFIRM: Shape = (13, 15);
/// Channel joins in one record at most: less than a Client Info has bytes.
pub const JOINS: u32 = 15;
/// Client Info at least: headers, flags, and its five strings, 2.2.1.11.
pub const CLIENT_INFO: u32 = 45;
/// A licensing error alert without a blob, as STATUS_VALID_CLIENT is, 2.2.1.12.
pub const LICENSE_ALERT: Shape = (34, 35);
/// Licensing messages of an exchange at least: the shortest of the server is its Platform Challenge, \[MS-RDPELE\] 2.2.2.4.
pub const LICENSE: u32 = 50;
/// New License Request at most: with a key of 2048 bits and long names, \[MS-RDPELE\] 2.2.2.2.
pub const LICENSE_REQUEST: u32 = 400;
/// License Information at least: it brings a licence, a certificate chain, along; \[MS-RDPELE\] 2.2.2.3.
pub const LICENSE_INFO: u32 = 1000;
/// Auto-detection: RTT Measure Request and Bandwidth Measure Start, 2.2.14.1.
pub const AUTO_DETECT: Shape = (24, 25);
/// Initiate Multitransport Request, 2.2.15.1.
pub const MULTITRANSPORT: Shape = (42, 43);
/// Demand and Confirm Active at least: their headers and the capability sets that nobody may leave out, 2.2.1.13.
pub const CAPABILITIES: u32 = 120;
/// Synchronize, 2.2.1.14. Set Error Info is as long, 2.2.5.1.
pub const SYNCHRONIZE: Shape = (36, 37);
/// Control, Font List and Font Map, 2.2.1.15 to 2.2.1.22.
pub const CONTROL: Shape = (40, 41);
/// Server messages of the finalization: synchronize, cooperate, granted control, font map.
pub const FINALIZATION: u32 = 4;
/// MCS Disconnect Provider Ultimatum, T.125 11.15.
pub const ULTIMATUM: Shape = (9, 9);
/// Server redirection at least, with a name to go to, 2.2.13; longer than any refusal of licensing.
pub const REDIRECTION: u32 = 55;
/// A TLS alert, RFC 8446 6.
pub const ALERT: Shape = (2, 2);

impl Plain {
    /// Whether it may be one of these.
    pub fn is(self, (least, most): Shape) -> bool {
        self.fits(least, most)
    }

    /// How many of these, one behind the other, it may be: the fewest.
    pub fn count(self, (least, most): Shape, limit: u32) -> Option<u32> {
        (1..=limit).find(|n| self.fits(n * least, n * most))
    }
}
