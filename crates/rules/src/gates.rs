//! All gateways, each with the little of it that the usual reading touches.
//!
//! Whether a gateway is plain (in touch, its clock right and never doubted) decides whether the quick way is open to its tags. Whoever
//! takes a gateway to change it closes that way; it opens again once a reading has gone the long way and left the gateway plain.

use crate::gateway::GatewayState;
use model::Timestamp;
use std::ops::{Index, IndexMut};

/// What the usual reading touches. 16 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gate {
    /// Listening time of its last current reading.
    pub last_current: Timestamp,
    /// Its checkpoint row is no longer true.
    pub soft_changed: bool,
    /// A good and timely reading leaves it as it is.
    pub plain: bool,
}

/// All gateways of a plant.
#[derive(Debug)]
pub(crate) struct Gateways {
    states: Vec<GatewayState>,
    gates: Vec<Gate>,
}

impl Gateways {
    pub fn new(states: Vec<GatewayState>) -> Self {
        Self { gates: vec![Gate::default(); states.len()], states }
    }
    pub fn len(&self) -> usize {
        self.states.len()
    }
    /// What the usual reading touches of one; none for [`crate::row::ALONE`].
    #[inline]
    pub fn gate(&mut self, gateway: u32) -> Option<&mut Gate> {
        self.gates.get_mut(gateway as usize)
    }
    pub fn last_current(&self, gateway: usize) -> Timestamp {
        self.gates[gateway].last_current
    }
    pub fn set_last_current(&mut self, gateway: usize, heard: Timestamp) {
        self.gates[gateway].last_current = heard;
    }
    /// The checkpoint row of a gateway is no longer true.
    pub fn soft_changed(&mut self, gateway: usize) {
        if let Some(gate) = self.gates.get_mut(gateway) {
            gate.soft_changed = true;
        }
    }
    /// Whether the checkpoint row is to be written, which it then is.
    pub fn take_soft_changed(&mut self, gateway: usize) -> bool {
        std::mem::take(&mut self.gates[gateway].soft_changed)
    }
    /// One gateway, to take what is written of it.
    pub fn for_writing(&mut self, gateway: usize) -> &mut GatewayState {
        &mut self.states[gateway]
    }
    /// Opens the quick way where the gateway is plain.
    pub fn reopen(&mut self, gateway: usize) {
        self.gates[gateway].plain = self.states[gateway].is_plain();
    }
}

impl Index<usize> for Gateways {
    type Output = GatewayState;
    fn index(&self, gateway: usize) -> &GatewayState {
        &self.states[gateway]
    }
}

impl IndexMut<usize> for Gateways {
    fn index_mut(&mut self, gateway: usize) -> &mut GatewayState {
        self.gates[gateway].plain = false;
        &mut self.states[gateway]
    }
}
