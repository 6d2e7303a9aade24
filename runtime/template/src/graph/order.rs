//! In which order locals and data sources are evaluated.

use std::collections::{BTreeMap, BTreeSet};

/// A local by name, or a data source by type and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Id {
    Local(String),
    Data(String, String),
}

impl Id {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Local(name) => format!("local.{name}"),
            Self::Data(ty, name) => format!("data.{ty}.{name}"),
        }
    }
}

/// What each of them refers to.
pub(super) type Needs = BTreeMap<Id, BTreeSet<Id>>;

/// What is left to do.
pub(super) struct Order {
    users: BTreeMap<Id, Vec<Id>>,
    /// How many needs are not met yet.
    pub(super) missing: BTreeMap<Id, usize>,
    ready: BTreeSet<Id>,
}

impl Order {
    pub(super) fn of(needs: &Needs) -> Self {
        let mut order = Self { users: BTreeMap::new(), missing: BTreeMap::new(), ready: BTreeSet::new() };
        for (id, found) in needs {
            match found.len() {
                0 => drop(order.ready.insert(id.clone())),
                count => drop(order.missing.insert(id.clone(), count)),
            }
            for need in found {
                order.users.entry(need.clone()).or_default().push(id.clone());
            }
        }
        order
    }

    /// What can be evaluated now: locals, since they are quick and data sources may need them, or
    /// else all data sources at once. Nothing at the end; what is missing then is in a cycle or
    /// needs one.
    pub(super) fn wave(&mut self) -> Vec<Id> {
        let (locals, data): (BTreeSet<Id>, BTreeSet<Id>) =
            std::mem::take(&mut self.ready).into_iter().partition(|id| matches!(id, Id::Local(_)));
        if locals.is_empty() {
            return data.into_iter().collect();
        }
        self.ready = data;
        locals.into_iter().collect()
    }

    /// Notes that these have values now.
    pub(super) fn done(&mut self, wave: &[Id]) {
        for user in wave.iter().filter_map(|id| self.users.get(id)).flatten() {
            if let Some(count) = self.missing.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    self.missing.remove(user);
                    self.ready.insert(user.clone());
                }
            }
        }
    }
}
