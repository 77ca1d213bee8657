//! Values of OTLP/JSON that can be spelt in more than one way.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// Null counts as absent.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

/// A scalar that may be written as a number or as text; `T` says how.
struct Scalar<T>(PhantomData<T>);

trait FromScalar: Sized + Default {
    const EXPECTED: &'static str;
    fn from_number(n: i128) -> Option<Self>;
    fn from_float(f: f64) -> Option<Self> {
        (f.fract() == 0.0 && f.abs() < 1.8e19).then(|| Self::from_number(f as i128)).flatten()
    }
    fn from_text(s: &str) -> Option<Self> {
        Self::from_number(s.trim().parse().ok()?)
    }
}

impl<T: FromScalar> Visitor<'_> for Scalar<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }
    fn visit_u64<E: de::Error>(self, n: u64) -> Result<T, E> {
        T::from_number(i128::from(n)).ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(n), &self))
    }
    fn visit_i64<E: de::Error>(self, n: i64) -> Result<T, E> {
        T::from_number(i128::from(n)).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(n), &self))
    }
    fn visit_f64<E: de::Error>(self, f: f64) -> Result<T, E> {
        T::from_float(f).ok_or_else(|| E::invalid_value(de::Unexpected::Float(f), &self))
    }
    fn visit_str<E: de::Error>(self, s: &str) -> Result<T, E> {
        T::from_text(s).ok_or_else(|| E::invalid_value(de::Unexpected::Str(s), &self))
    }
    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }
}

macro_rules! scalar {
    ($name:ident($inner:ty), $expected:literal $(, $method:item)*) => {
        #[derive(Default, Clone, Copy)]
        pub(super) struct $name(pub(super) $inner);
        impl FromScalar for $name {
            const EXPECTED: &'static str = $expected;
            $($method)*
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_any(Scalar::<$name>(PhantomData))
            }
        }
    };
}

scalar!(
    U64(u64),
    "an unsigned 64-bit number, as number or text",
    fn from_number(n: i128) -> Option<Self> {
        u64::try_from(n).ok().map(U64)
    }
);
scalar!(
    U32(u32),
    "an unsigned 32-bit number",
    fn from_number(n: i128) -> Option<Self> {
        u32::try_from(n).ok().map(U32)
    }
);
scalar!(
    I64(i64),
    "a signed 64-bit number, as number or text",
    fn from_number(n: i128) -> Option<Self> {
        i64::try_from(n).ok().map(I64)
    }
);
scalar!(
    F64(f64),
    "a number, or NaN, Infinity or -Infinity as text",
    fn from_number(n: i128) -> Option<Self> {
        Some(F64(n as f64))
    },
    fn from_float(f: f64) -> Option<Self> {
        Some(F64(f))
    },
    fn from_text(s: &str) -> Option<Self> {
        s.trim().parse().ok().map(F64)
    }
);

/// An enum value as number or name. Unknown names and numbers are 0, the unspecified value (protobuf's rule for readers).
macro_rules! named {
    ($name:ident, $prefix:literal, $names:expr) => {
        scalar!(
            $name(i32),
            "an enum value, as number or name",
            fn from_number(n: i128) -> Option<Self> {
                Some($name(i32::try_from(n).unwrap_or(0)))
            },
            fn from_text(s: &str) -> Option<Self> {
                let s = s.trim();
                if let Ok(n) = s.parse() {
                    return Some($name(n));
                }
                let upper = s.to_ascii_uppercase();
                let short = upper.strip_prefix($prefix).unwrap_or(&upper);
                Some($name($names.iter().position(|n| *n == short).unwrap_or(0) as i32))
            }
        );
    };
}

named!(Kind, "SPAN_KIND_", ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]);
named!(StatusCode, "STATUS_CODE_", ["UNSET", "OK", "ERROR"]);
named!(
    Severity,
    "SEVERITY_NUMBER_",
    [
        "UNSPECIFIED",
        "TRACE",
        "TRACE2",
        "TRACE3",
        "TRACE4",
        "DEBUG",
        "DEBUG2",
        "DEBUG3",
        "DEBUG4",
        "INFO",
        "INFO2",
        "INFO3",
        "INFO4",
        "WARN",
        "WARN2",
        "WARN3",
        "WARN4",
        "ERROR",
        "ERROR2",
        "ERROR3",
        "ERROR4",
        "FATAL",
        "FATAL2",
        "FATAL3",
        "FATAL4",
    ]
);

/// An id in hexadecimal digits, upper or lower case. Its length is judged where it is used.
#[derive(Default)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(d)?.unwrap_or_default();
        let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        let bytes = text.as_bytes();
        let pairs = bytes.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(de::Error::custom(format!("an id of {} hexadecimal digits, which is odd", bytes.len())));
        }
        let decoded: Option<Vec<u8>> = pairs.map(|p| Some(digit(p[0])? << 4 | digit(p[1])?)).collect();
        decoded.map(Hex).ok_or_else(|| de::Error::custom("an id that is not hexadecimal"))
    }
}

/// Base64, standard or URL-safe, with or without padding.
#[derive(Default)]
pub(super) struct Base64(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use base64::alphabet::{STANDARD, URL_SAFE};
        use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
        let text = Option::<Cow<'de, str>>::deserialize(d)?.unwrap_or_default();
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
        GeneralPurpose::new(alphabet, config).decode(text.as_bytes()).map(Base64).map_err(de::Error::custom)
    }
}
