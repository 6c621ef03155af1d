//! What is asked of a capture before it is read, by whoever can read it again: the secrets in it, where its clock went
//! back, in which order its packets are to be taken.

use std::io::Read;

use crate::capture::clock::{Clock, Watch};
use crate::capture::file::{self, Item, ReadError};
use crate::capture::order::{Disorder, Order};
use crate::capture::packets;
use crate::diagnose::stage::length;
use crate::tls::keys::Keyring;

/// The secrets that stand in a capture, wherever they stand: reading it with them gives the same answer as if they stood
/// first. Those before the place where the file breaks are kept.
///
/// # Errors
/// Where nothing of it can be read.
pub fn secrets(input: impl Read) -> Result<Keyring, ReadError> {
    let mut keys = Keyring::default();
    file::read(input, &mut |item| {
        if let Item::Secrets(log) = item {
            keys.read(log);
        }
        Ok(())
    })?;
    Ok(keys)
}

/// Where the clock of a capture went back while it was made: for whoever can read it again.
///
/// # Errors
/// Where nothing of it can be read.
pub fn clock(input: impl Read) -> Result<Clock, ReadError> {
    let mut watch = Watch::default();
    let mut decoder = packets::Decoder::in_order(Order::Checked, Clock::default());
    file::read(input, &mut |item| {
        if let Item::Packet(packet) = &item {
            watch.push(decoder.frames() + 1, packet.at);
        }
        decoder.item(&item, &mut |heard| {
            if let packets::What::Segment(segment) = &heard.what {
                watch.segment(heard.at, segment);
            }
        });
        Ok(())
    })?;
    Ok(watch.finish())
}

/// In which order the packets of a capture are to be taken, by their times and with this clock: for whoever can read it again.
///
/// # Errors
/// Where nothing of it can be read.
pub fn order(input: impl Read, clock: &Clock) -> Result<Order, ReadError> {
    let (mut disorder, mut frame) = (Disorder::default(), 0);
    file::read(input, &mut |item| {
        if let Item::Packet(packet) = item {
            frame += 1;
            disorder.push(clock.time(frame, packet.at));
        }
        Ok(())
    })?;
    Ok(disorder.order())
}

/// What is said of a clock that went back: a line for each time.
pub(super) fn notices(clock: &Clock) -> impl Iterator<Item = String> {
    clock.steps().iter().map(|step| {
        format!(
            "the clock of the capture was set back by {} before frame {}: packets are taken there as they are stored, later \
             times are counted on, and how long it took from the packet before cannot be told",
            length(step.by),
            step.frame
        )
    })
}
