//! W3C trace-context identifiers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not of the length the identifier has.
    #[error("expected {expected} hexadecimal digits, found {found} characters")]
    Length {
        /// Hexadecimal digits wanted.
        expected: usize,
        /// Characters found.
        found: usize,
    },
    /// A character is not a hexadecimal digit.
    #[error("not hexadecimal")]
    NotHex,
    /// All zero, which W3C Trace Context section 3.2.2 calls invalid.
    #[error("all zero, which trace context calls invalid")]
    Zero,
}

/// Lower-case hexadecimal digits.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    if text.len() != N * 2 {
        return Err(IdError::Length { expected: N * 2, found: text.chars().count() });
    }
    let mut out = [0u8; N];
    let bytes = text.as_bytes();
    for (i, slot) in out.iter_mut().enumerate() {
        let hi = (bytes[i * 2] as char).to_digit(16).ok_or(IdError::NotHex)?;
        let lo = (bytes[i * 2 + 1] as char).to_digit(16).ok_or(IdError::NotHex)?;
        *slot = (hi * 16 + lo) as u8;
    }
    Ok(out)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $n:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $n]);

        impl $name {
            /// The identifier of these bytes; `None` when all are zero (W3C Trace Context calls that invalid).
            pub fn new(bytes: [u8; $n]) -> Option<Self> {
                if bytes == [0; $n] { None } else { Some(Self(bytes)) }
            }

            /// From the bytes of a protobuf field. Errors when the length is wrong or all bytes are zero.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                let array: [u8; $n] = bytes
                    .try_into()
                    .map_err(|_| IdError::Length { expected: $n * 2, found: bytes.len() * 2 })?;
                Self::new(array).ok_or(IdError::Zero)
            }

            /// The raw bytes, most significant first.
            pub fn as_bytes(&self) -> &[u8; $n] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0u8; $n * 2];
                for (i, b) in self.0.iter().enumerate() {
                    text[i * 2] = DIGITS[usize::from(b >> 4)];
                    text[i * 2 + 1] = DIGITS[usize::from(b & 15)];
                }
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(parse_hex(text)?).ok_or(IdError::Zero)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    Ok(Self(<[u8; $n]>::deserialize(d)?))
                }
            }
        }
    };
}

id!(
    /// A trace id: 16 bytes, written as 32 lower-case hexadecimal digits, never all zero.
    TraceId, 16
);
id!(
    /// A span id: 8 bytes, written as 16 lower-case hexadecimal digits, never all zero.
    SpanId, 8
);

impl SpanId {
    /// The id as the integer that an SQLite column holds.
    pub fn as_i64(&self) -> i64 {
        i64::from_be_bytes(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hex_and_never_zero() {
        assert_eq!("0102030405060708".parse::<SpanId>().unwrap().to_string(), "0102030405060708");
        assert_eq!("0000000000000000".parse::<SpanId>(), Err(IdError::Zero));
        assert_eq!("01".parse::<SpanId>(), Err(IdError::Length { expected: 16, found: 2 }));
        assert_eq!("zz02030405060708".parse::<SpanId>(), Err(IdError::NotHex));
        assert!(TraceId::from_slice(&[1; 8]).is_err());
    }
}
