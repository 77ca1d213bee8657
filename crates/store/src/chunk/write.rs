//! Items as bytes: like `postcard`, but each text stands once per chunk and items name it by number.
//!
//! Spans repeat nearly all of their texts (names, routes, the ids of what they are about). Finding a text in a table costs less
//! than writing it, hashing it for the filter and compressing it each time.

use std::fmt::Display;

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::ser::{self, Impossible};

use crate::filter::Filter;
use crate::hash::hash64;
use crate::walk;

/// Why a value cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Problem(pub(super) String);

impl ser::Error for Problem {
    fn custom<T: Display>(why: T) -> Problem {
        Problem(why.to_string())
    }
}

/// The texts of a chunk being filled, each once, by number.
#[derive(Default)]
pub(super) struct Texts {
    /// By hash. Of two texts with one hash only the first is found again: the other stands there more than once.
    places: FxHashMap<u64, u32>,
    /// Where each ends.
    ends: Vec<u32>,
    all: String,
}

impl Texts {
    /// The number of a text, and whether it is new here.
    fn number(&mut self, text: &str) -> (u32, bool) {
        let next = self.ends.len() as u32;
        let known = *self.places.entry(hash64(text.as_bytes())).or_insert(next);
        if known != next && self.get(known) == Some(text) {
            return (known, false);
        }
        self.all.push_str(text);
        self.ends.push(self.all.len() as u32);
        (next, true)
    }

    /// The text of a number.
    pub(super) fn get(&self, number: u32) -> Option<&str> {
        slice(&self.ends, &self.all, number)
    }

    /// Where each ends, and all of them.
    pub(super) fn parts(&self) -> (&[u32], &str) {
        (&self.ends, &self.all)
    }

    /// Bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.all.len() + self.ends.len()
    }
}

/// A text by number, where texts stand one after the other.
pub(super) fn slice<'t>(ends: &[u32], all: &'t str, number: u32) -> Option<&'t str> {
    let end = *ends.get(number as usize)? as usize;
    let start = if number == 0 { 0 } else { ends[number as usize - 1] as usize };
    all.get(start..end)
}

/// Writes items. New texts, and all that is in them, go into the filter.
pub(super) struct ItemWriter<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) texts: &'a mut Texts,
    pub(super) filter: &'a mut Filter,
    /// The texts of the last item of this kind, in order: mostly the next one has the same at the same place, and comparing
    /// is cheaper than finding.
    pub(super) guesses: &'a mut Vec<u32>,
    /// How many texts of this item are written.
    pub(super) written: usize,
}

impl ItemWriter<'_> {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn length(&mut self, length: Option<usize>) -> Result<(), Problem> {
        self.varint(length.ok_or_else(|| Problem("a list of unknown length".into()))? as u64);
        Ok(())
    }
}

macro_rules! numbers {
    ($($name:ident: $type:ty => |$self:ident, $v:ident| $body:expr;)*) => {
        $(fn $name($self, $v: $type) -> Result<(), Problem> { $body; Ok(()) })*
    };
}

impl<'s, 'a> ser::Serializer for &'s mut ItemWriter<'a> {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Impossible<(), Problem>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_bool: bool => |self, v| self.out.push(u8::from(v));
        serialize_u8: u8 => |self, v| self.out.push(v);
        serialize_i8: i8 => |self, v| self.out.push(v as u8);
        serialize_u16: u16 => |self, v| self.varint(u64::from(v));
        serialize_u32: u32 => |self, v| self.varint(u64::from(v));
        serialize_u64: u64 => |self, v| self.varint(v);
        serialize_i16: i16 => |self, v| self.serialize_i64(i64::from(v))?;
        serialize_i32: i32 => |self, v| self.serialize_i64(i64::from(v))?;
        serialize_i64: i64 => |self, v| self.varint(((v << 1) ^ (v >> 63)) as u64);
        serialize_f32: f32 => |self, v| self.out.extend_from_slice(&v.to_le_bytes());
        serialize_f64: f64 => |self, v| self.out.extend_from_slice(&v.to_le_bytes());
        serialize_char: char => |self, v| self.varint(u64::from(u32::from(v)));
    }

    fn serialize_str(self, text: &str) -> Result<(), Problem> {
        let at = self.written;
        self.written += 1;
        let guess = self.guesses.get(at).copied();
        if let Some(guess) = guess.filter(|g| self.texts.get(*g) == Some(text)) {
            self.varint(u64::from(guess));
            return Ok(());
        }
        let (number, new) = self.texts.number(text);
        if new {
            let filter = &mut *self.filter;
            walk::text(text, &mut |v| filter.add(v.as_bytes()));
        }
        match self.guesses.get_mut(at) {
            Some(slot) => *slot = number,
            None => self.guesses.push(number),
        }
        self.varint(u64::from(number));
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Problem> {
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Problem> {
        self.serialize_bool(false)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Problem> {
        self.out.push(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Problem> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Problem> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Problem> {
        self.serialize_u32(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        self.varint(u64::from(index));
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Problem> {
        self.length(length)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Problem> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Problem> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Problem> {
        self.varint(u64::from(index));
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Problem> {
        Err(Problem("maps are written as lists of pairs".into()))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Problem> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Problem> {
        self.varint(u64::from(index));
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! parts {
    ($($trait:ident $method:ident($($key:ident: $type:ty)?);)*) => {
        $(impl ser::$trait for &mut ItemWriter<'_> {
            type Ok = ();
            type Error = Problem;
            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $type,)? value: &T) -> Result<(), Problem> {
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Problem> {
                Ok(())
            }
        })*
    };
}

parts! {
    SerializeSeq serialize_element();
    SerializeTuple serialize_element();
    SerializeTupleStruct serialize_field();
    SerializeTupleVariant serialize_field();
    SerializeStruct serialize_field(_key: &'static str);
    SerializeStructVariant serialize_field(_key: &'static str);
}
