//! An amount of money, as it is told: never converted, never scored.

use std::fmt;

/// An amount in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    currency: [u8; 3],
    units: i64,
    nanos: i32,
}

/// Why an amount is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    #[error("currency_code must be three capital letters, such as EUR")]
    Currency,
    #[error("nanos must be from -999999999 to 999999999")]
    Nanos,
    #[error("units and nanos must have the same sign")]
    Signs,
}

const NANOS_PER_UNIT: i128 = 1_000_000_000;

impl Money {
    /// `units` and `nanos` billionths of `currency`.
    ///
    /// # Errors
    ///
    /// In this order: [`NotMoney::Currency`], [`NotMoney::Nanos`], [`NotMoney::Signs`].
    pub fn new(currency: &str, units: i64, nanos: i32) -> Result<Money, NotMoney> {
        let currency: [u8; 3] = currency
            .as_bytes()
            .try_into()
            .map_err(|_| NotMoney::Currency)?;
        if !currency.iter().all(u8::is_ascii_uppercase) {
            return Err(NotMoney::Currency);
        }
        if !(-999_999_999..=999_999_999).contains(&nanos) {
            return Err(NotMoney::Nanos);
        }
        if (units < 0 && 0 < nanos) || (0 < units && nanos < 0) {
            return Err(NotMoney::Signs);
        }
        Ok(Money {
            currency,
            units,
            nanos,
        })
    }

    pub fn currency(&self) -> &str {
        str::from_utf8(&self.currency).expect("`new` let only capital letters in")
    }

    pub fn units(&self) -> i64 {
        self.units
    }

    pub fn nanos(&self) -> i32 {
        self.nanos
    }

    /// The amount as a whole number. Unit: billionths of the currency's unit.
    pub fn in_nanos(&self) -> i128 {
        i128::from(self.units) * NANOS_PER_UNIT + i128::from(self.nanos)
    }

    /// So many billionths of the unit of `currency`; held within what an amount can be.
    ///
    /// # Errors
    ///
    /// [`NotMoney::Currency`].
    pub fn of_nanos(currency: &str, nanos: i128) -> Result<Money, NotMoney> {
        let nanos = nanos.clamp(
            i128::from(i64::MIN) * NANOS_PER_UNIT,
            i128::from(i64::MAX) * NANOS_PER_UNIT,
        );
        let units = (nanos / NANOS_PER_UNIT) as i64;
        Money::new(currency, units, (nanos % NANOS_PER_UNIT) as i32)
    }
}

/// As people write it: `EUR 40,000` or `USD -12.50`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 || self.nanos < 0 {
            "-"
        } else {
            ""
        };
        let digits = self.units.unsigned_abs().to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (place, digit) in digits.chars().enumerate() {
            if 0 < place && (digits.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        write!(f, "{} {sign}{grouped}", self.currency())?;
        let cents = self.nanos.unsigned_abs() / 10_000_000;
        if cents != 0 {
            write!(f, ".{cents:02}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_people_write_it() {
        let told = |currency, units, nanos| Money::new(currency, units, nanos).unwrap().to_string();
        assert_eq!(told("EUR", 1_240_000, 0), "EUR 1,240,000");
        assert_eq!(told("USD", -12, -500_000_000), "USD -12.50");
        assert_eq!(told("JPY", 999, 0), "JPY 999");
        assert_eq!(told("GBP", i64::MIN, 0), "GBP -9,223,372,036,854,775,808");
    }

    #[test]
    fn an_amount_is_whole_billionths_and_back() {
        for (units, nanos) in [
            (0, -1),
            (0, 0),
            (-12, -500_000_000),
            (i64::MAX, 0),
            (i64::MIN, 0),
        ] {
            let amount = Money::new("EUR", units, nanos).unwrap();
            assert_eq!(Money::of_nanos("EUR", amount.in_nanos()), Ok(amount));
        }
        let most = Money::new("EUR", i64::MAX, 0).unwrap();
        assert_eq!(Money::of_nanos("EUR", i128::MAX), Ok(most));
    }

    #[test]
    fn money_has_a_currency_and_one_sign() {
        assert_eq!(Money::new("eur", 1, 0), Err(NotMoney::Currency));
        assert_eq!(Money::new("EURO", 1, 0), Err(NotMoney::Currency));
        assert_eq!(Money::new("EUR", 1, 1_000_000_000), Err(NotMoney::Nanos));
        assert_eq!(Money::new("EUR", 1, -1), Err(NotMoney::Signs));
        assert_eq!(Money::new("EUR", -1, 1), Err(NotMoney::Signs));
        assert!(Money::new("EUR", 0, -1).is_ok());
    }
}
