//! The way back from [`super::write`]: bytes of items and the chunk's texts to values.

use std::fmt::Display;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::write::{Problem, slice};

impl de::Error for Problem {
    fn custom<T: Display>(why: T) -> Problem {
        Problem(why.to_string())
    }
}

/// Where the texts of a chunk end, and all of them.
pub(super) type TextsRef<'de> = (&'de [u32], &'de str);

/// Reads items.
pub(super) struct ItemReader<'de> {
    pub(super) bytes: &'de [u8],
    pub(super) texts: TextsRef<'de>,
}

impl<'de> ItemReader<'de> {
    fn take(&mut self, length: usize) -> Result<&'de [u8], Problem> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or_else(|| Problem("it ends too early".into()))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.take(1)?[0])
    }

    fn varint(&mut self) -> Result<u64, Problem> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
            if shift > 63 {
                return Err(Problem("a number is too long".into()));
            }
        }
    }

    fn unsigned<T: TryFrom<u64>>(&mut self) -> Result<T, Problem> {
        T::try_from(self.varint()?).map_err(|_| Problem("a number is too large".into()))
    }

    fn signed<T: TryFrom<i64>>(&mut self) -> Result<T, Problem> {
        let zigzag = self.varint()?;
        let value = ((zigzag >> 1) as i64) ^ -((zigzag & 1) as i64);
        T::try_from(value).map_err(|_| Problem("a number is too large".into()))
    }

    fn truth(&mut self) -> Result<bool, Problem> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Problem("a truth value is neither".into())),
        }
    }

    fn text(&mut self) -> Result<&'de str, Problem> {
        let number = self.unsigned()?;
        slice(self.texts.0, self.texts.1, number).ok_or_else(|| Problem(format!("there is no text {number}")))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let bytes = self.take(N)?;
        Ok(std::array::from_fn(|i| bytes[i]))
    }
}

macro_rules! values {
    ($($name:ident $visit:ident |$self:ident| $body:expr;)*) => {
        $(fn $name<V: Visitor<'de>>($self, visitor: V) -> Result<V::Value, Problem> { visitor.$visit($body?) })*
    };
}

impl<'de> de::Deserializer<'de> for &mut ItemReader<'de> {
    type Error = Problem;

    values! {
        deserialize_bool visit_bool |self| self.truth();
        deserialize_u8 visit_u8 |self| self.byte();
        deserialize_i8 visit_i8 |self| self.byte().map(|b| b as i8);
        deserialize_u16 visit_u16 |self| self.unsigned();
        deserialize_u32 visit_u32 |self| self.unsigned();
        deserialize_u64 visit_u64 |self| self.unsigned();
        deserialize_i16 visit_i16 |self| self.signed();
        deserialize_i32 visit_i32 |self| self.signed();
        deserialize_i64 visit_i64 |self| self.signed();
        deserialize_f32 visit_f32 |self| self.array().map(f32::from_le_bytes);
        deserialize_f64 visit_f64 |self| self.array().map(f64::from_le_bytes);
        deserialize_char visit_char |self| {
            self.unsigned().and_then(|c| char::from_u32(c).ok_or_else(|| Problem("it is no character".into())))
        };
        deserialize_str visit_borrowed_str |self| self.text();
        deserialize_string visit_borrowed_str |self| self.text();
        deserialize_bytes visit_borrowed_bytes |self| self.unsigned().and_then(|n: u32| self.take(n as usize));
        deserialize_byte_buf visit_borrowed_bytes |self| self.unsigned().and_then(|n: u32| self.take(n as usize));
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
        Err(Problem("what stands here is not said".into()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.truth()? { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let left = self.unsigned::<u32>()? as usize;
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_seq(Parts { reader: self, left: fields.len() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_enum(self)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// What is left of a list.
struct Parts<'r, 'de> {
    reader: &'r mut ItemReader<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::EnumAccess<'de> for &mut ItemReader<'de> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Problem> {
        let index: u32 = self.unsigned()?;
        let value = seed.deserialize(IntoDeserializer::<Problem>::into_deserializer(index))?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut ItemReader<'de> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Problem> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(Parts { reader: self, left: fields.len() })
    }
}
