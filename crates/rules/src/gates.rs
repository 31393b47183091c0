//! All gateways, each with the little of it that the usual reading touches.
//!
//! Whether a gateway is plain (in touch, its clock right and never doubted) decides whether the quick way is open to its tags. Whoever
//! takes a gateway to change it closes that way; it opens again once a reading has gone the long way and left the gateway plain.

use crate::gateway::GatewayState;
use model::Timestamp;
use std::ops::{Index, IndexMut};

/// What the usual reading touches of a gateway: whether the quick way is open, and the listening time of the last reading that took it. That
/// is greater than 0: a reading that went the long way and opened it was heard before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gate(i64);

impl Gate {
    const CLOSED: Self = Self(i64::MIN);
    /// Open, and nobody has passed since somebody looked.
    const UNUSED: Self = Self(0);

    #[inline(always)]
    pub fn is_open(self) -> bool {
        self.0 >= 0
    }
    /// A good and timely reading has gone the quick way.
    #[inline(always)]
    pub fn pass(&mut self, heard: Timestamp) {
        self.0 = heard.0;
    }
    fn passed(self) -> Option<Timestamp> {
        (self.0 > Self::UNUSED.0).then_some(Timestamp(self.0))
    }
}

/// All gateways of a plant.
#[derive(Debug)]
pub(crate) struct Gateways {
    states: Vec<GatewayState>,
    gates: Vec<Gate>,
    /// Gateways taken since somebody asked, where anybody does; see `passage`.
    touched: Option<Vec<usize>>,
}

impl Gateways {
    pub fn new(states: Vec<GatewayState>) -> Self {
        Self { gates: vec![Gate::CLOSED; states.len()], states, touched: None }
    }
    pub fn len(&self) -> usize {
        self.states.len()
    }
    /// What the usual reading touches. [`crate::row::ALONE`] has none.
    #[inline]
    pub fn gates(&mut self) -> &mut [Gate] {
        &mut self.gates
    }
    /// Whether the quick way is open.
    pub fn is_open(&self, gateway: usize) -> bool {
        self.gates[gateway].is_open()
    }
    /// A good and timely reading of a while ago is taken in.
    pub fn heard(&mut self, gateway: usize, heard: Timestamp) {
        let state = &mut self.states[gateway];
        state.last_current = state.last_current.max(heard);
        state.soft_changed = true;
    }
    /// From now on it is kept which gateways were taken.
    pub fn watch(&mut self) {
        self.touched = Some(Vec::new());
    }
    /// Appends the gateways taken since the last call.
    pub fn take_touched(&mut self, out: &mut Vec<usize>) {
        out.extend(self.touched.iter_mut().flat_map(|touched| touched.drain(..)));
    }
    /// Listening time of a gateway's last current reading.
    pub fn last_current(&self, gateway: usize) -> Timestamp {
        let known = self.states[gateway].last_current;
        self.gates[gateway].passed().map_or(known, |passed| passed.max(known))
    }
    /// The checkpoint row of a gateway is no longer true.
    pub fn soft_changed(&mut self, gateway: usize) {
        if let Some(state) = self.states.get_mut(gateway) {
            state.soft_changed = true;
        }
    }
    /// Whether the checkpoint row is to be written, which it then is.
    pub fn take_soft_changed(&mut self, gateway: usize) -> bool {
        let is_open = self.gates[gateway].is_open();
        self.take_in(gateway);
        if is_open {
            self.gates[gateway] = Gate::UNUSED;
        }
        std::mem::take(&mut self.states[gateway].soft_changed)
    }
    /// One gateway, to take what is written of it.
    pub fn for_writing(&mut self, gateway: usize) -> &mut GatewayState {
        &mut self.states[gateway]
    }
    /// Opens the quick way where the gateway is plain.
    pub fn reopen(&mut self, gateway: usize) {
        if self.states[gateway].is_plain() && !self.gates[gateway].is_open() {
            self.gates[gateway] = Gate::UNUSED;
        }
    }
    /// Closes the quick way and keeps who passed last.
    fn take_in(&mut self, gateway: usize) {
        let passed = std::mem::replace(&mut self.gates[gateway], Gate::CLOSED).passed();
        if let Some(touched) = &mut self.touched {
            touched.push(gateway);
        }
        if let Some(passed) = passed {
            let state = &mut self.states[gateway];
            state.last_current = state.last_current.max(passed);
            state.soft_changed = true;
        }
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
        self.take_in(gateway);
        &mut self.states[gateway]
    }
}
