//! Commands to nodes, under sessions that they drew (`CLASSIC.md`, *Commands*).

use super::Sender;
use crate::classic::{NodeField, seal};
use crate::error::{Error, KeyringError, KeyringProblem, SessionError};
use crate::keyring::Classic;
use crate::receiver::Publication;

impl Sender {
    /// The session that the device shows is used up.
    pub(super) fn seal_classic(
        &self,
        device: usize,
        classic: &Classic,
        data: &[u8],
    ) -> Result<Publication, Error> {
        let group = self.keyring.groups().get(classic.group);
        let keys = group.and_then(|group| group.key_sets.get(classic.key_set));
        let (Some(group), Some(keys)) = (group, keys) else {
            unreachable!("a valid keyring has them")
        };
        let (Some(topic), Some(session_topic)) = (
            group.command_topic(&classic.address),
            group.command_session_topic(&classic.address),
        ) else {
            let hint = "the group needs `command_topic` and `command_session_topic`, like \"sensors/{node_id}/command\"";
            let problem = KeyringProblem::MissingField { hint };
            return Err(KeyringError::new(problem)
                .field("classic_group.command_topic")
                .into());
        };
        let no_session = || SessionError::NoCommandSession {
            device: self.name(device),
            topic: session_topic.clone(),
        };
        let session = *self.sessions().get(&device).ok_or_else(no_session)?;
        // Sealed first: data that the frame cannot carry must not use the session up.
        let payload = seal(
            &keys.keys,
            &group.scheme,
            NodeField::Command(&classic.address),
            data,
            &session,
            &*self.random,
        )?;
        let mut unused = false;
        self.store.transact(&mut |transaction| {
            unused = transaction.use_command_session(&group.name, &classic.address, &session)?;
            Ok(())
        })?;
        let mut sessions = self.sessions();
        if sessions.get(&device) == Some(&session) {
            sessions.remove(&device);
        }
        if !unused {
            return Err(no_session().into());
        }
        Ok(Publication {
            topic: topic.into(),
            payload,
            qos: 1,
            retain: false,
        })
    }
}
