//! What the scribe does about the files of recordings: room for them, and that they are there.

use std::io;
use std::time::{Duration, Instant};

use super::group::Group;
use super::keep::{Gone, Need};
use super::{Live, Scribe};

/// Whether files of recordings are still there is looked at so often.
const PRESENT: Duration = Duration::from_secs(1);

impl Scribe<'_> {
    /// Deletes what is too old where there is too much, before more is written.
    pub(super) fn make_room(&mut self) {
        let besides = self.finalizing.takes();
        while let Some(need) = self.need(besides) {
            match need {
                Need::Nothing => return,
                Need::Made => {}
                Need::Part(session, part, one) => self.lost_part(session, part, one),
                Need::End(session) => self.end_for_room(session),
            }
        }
    }

    fn need(&mut self, besides: u64) -> Option<Need> {
        let (keep, folder) = (self.keep.as_mut()?, self.config.out.as_deref()?);
        keep.look(folder);
        keep.is_full(besides).then(|| keep.step(besides, &mut self.gone))
    }

    fn lost_part(&mut self, session: u32, part: u32, one: Gone) {
        let Some(group) = self.groups.get_mut(&session) else { return };
        let stays = group.lose_parts(part);
        let (last, gone, first) = self.gone_parts.entry(session).or_default();
        (*last, *first) = (part, stays);
        gone.join(one);
    }

    /// Nothing older is left that may be deleted: this recording is closed, and is as old as any from then on.
    fn end_for_room(&mut self, session: u32) {
        let why =
            "recordings take more than --keep allows, and none is left to delete before this one, which is closed";
        if let Some(group) = self.groups.get_mut(&session)
            && group.is_written()
        {
            group.give_up(io::Error::other(why));
        }
        self.is_recorded_no_further(session);
        self.report_trouble(session);
    }

    pub(super) fn is_recorded_no_further(&mut self, session: u32) {
        self.keep.iter().for_each(|keep| keep.usage.end(session));
    }

    pub(super) fn tell_gone(&mut self) {
        let gone = std::mem::take(&mut self.gone);
        if gone.files > 0 {
            (self.say)(Live::Deleted { gone: &gone });
        }
        for (session, (last, gone, stays)) in std::mem::take(&mut self.gone_parts) {
            (self.say)(Live::PartsDeleted { session, last, gone: &gone, stays: &stays });
        }
    }

    /// A recording whose file is not there any more goes on in another.
    pub(super) fn look_for_files(&mut self) {
        if self.config.out.is_none() || self.present.elapsed() < PRESENT {
            return;
        }
        self.present = Instant::now();
        self.groups.values_mut().for_each(Group::look_for_file);
    }
}
