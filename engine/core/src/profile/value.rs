//! What the statistics ask of a value: a hash, a size, an order.

use serde_json::Value;

use super::sketch::hash_number;

/// A number, or what is counted like one: days, ticks, booleans.
pub(super) trait Number: Copy + PartialOrd {
    /// The same for values that are equal, whatever their type.
    fn hash(self) -> u64;

    /// Nearest to it.
    fn float(self) -> f64;

    fn key(self) -> Key;
}

impl Number for i64 {
    #[inline]
    fn hash(self) -> u64 {
        hash_number(self.into())
    }

    #[inline]
    fn float(self) -> f64 {
        self as f64
    }

    fn key(self) -> Key {
        Key::Whole(self.into())
    }
}

impl Number for i128 {
    #[inline]
    fn hash(self) -> u64 {
        hash_number(self)
    }

    #[inline]
    fn float(self) -> f64 {
        self as f64
    }

    fn key(self) -> Key {
        Key::Whole(self)
    }
}

impl Number for f64 {
    #[inline]
    fn hash(self) -> u64 {
        // Both zeros are one value, and so are all NaNs.
        let value = if self.is_nan() { f64::NAN } else { self + 0.0 };
        hash_number(value.to_bits().into())
    }

    #[inline]
    fn float(self) -> f64 {
        self + 0.0
    }

    fn key(self) -> Key {
        Key::Float(self + 0.0)
    }
}

/// What values are compared by.
#[derive(Clone, PartialEq, PartialOrd)]
pub(super) enum Key {
    Whole(i128),
    Float(f64),
    Text(Box<[u8]>),
}

struct Extreme {
    key: Key,
    shown: Value,
}

/// The least and the greatest value.
#[derive(Default)]
pub(super) struct Extremes {
    least: Option<Extreme>,
    greatest: Option<Extreme>,
}

impl Extremes {
    /// Take a value that may be the least.
    pub(super) fn may_be_least(&mut self, key: Key, shown: impl FnOnce() -> Value) {
        if self.least.as_ref().is_none_or(|least| key < least.key) {
            let shown = shown();
            self.least = Some(Extreme { key, shown });
        }
    }

    /// Take a value that may be the greatest.
    pub(super) fn may_be_greatest(&mut self, key: Key, shown: impl FnOnce() -> Value) {
        if self
            .greatest
            .as_ref()
            .is_none_or(|greatest| key > greatest.key)
        {
            let shown = shown();
            self.greatest = Some(Extreme { key, shown });
        }
    }

    /// Take the extremes of other values.
    pub(super) fn merge(&mut self, other: Self) {
        if let Some(Extreme { key, shown }) = other.least {
            self.may_be_least(key, || shown);
        }
        if let Some(Extreme { key, shown }) = other.greatest {
            self.may_be_greatest(key, || shown);
        }
    }

    /// The least and the greatest, NULL where there was no value.
    pub(super) fn shown(self) -> (Value, Value) {
        let shown = |extreme: Option<Extreme>| extreme.map_or(Value::Null, |extreme| extreme.shown);
        (shown(self.least), shown(self.greatest))
    }
}
