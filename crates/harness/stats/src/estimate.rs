//! A value with its interval.

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The median over processes.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Processes behind it. Below 3 the spread between processes is not in the interval.
    pub processes: usize,
}

impl Estimate {
    /// A value that is exact.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
            processes: 0,
        }
    }

    /// Half the width of the interval, for `value ± half`.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Half the width of the interval of the logarithm; `None` where it reaches 0.
    fn log_half_width(&self) -> Option<f64> {
        (self.low > 0.0).then(|| (self.high / self.low).ln() / 2.0)
    }

    /// The end of the interval of a ratio that is nearest to 1, which is what may be said
    /// of it; 1 where the interval holds 1.
    #[must_use]
    pub fn near_end(&self) -> f64 {
        if self.low > 1.0 {
            self.low
        } else {
            self.high.min(1.0)
        }
    }

    /// This over that: the quotient of two independent estimates, their relative errors
    /// added as squares. `None` where either, or its interval, is not positive.
    #[must_use]
    pub fn over(&self, that: &Self) -> Option<Self> {
        if self.value <= 0.0 || that.value <= 0.0 {
            return None;
        }
        let value = self.value / that.value;
        let relative = self.log_half_width()?.hypot(that.log_half_width()?);
        Some(Self {
            value,
            // A relative error is a distance of logarithms: symmetric for faster and slower.
            low: value * (-relative).exp(),
            high: value * relative.exp(),
            processes: self.processes.min(that.processes),
        })
    }
}
