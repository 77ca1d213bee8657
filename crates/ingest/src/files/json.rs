//! Takes JSON apart into values without holding more than one of them.

use std::io::{self, BufRead};

/// Largest single value, bytes: a line, or an element of an array.
pub(super) const MAX_VALUE: usize = 256 * 1024 * 1024;

/// Why taking apart ended early.
#[derive(Debug)]
pub(super) enum JsonError {
    /// Reading failed.
    Io(io::Error),
    /// The text ends inside a value.
    Ends,
    /// A value is larger than [`MAX_VALUE`].
    TooLarge,
    /// Something else stands where a value, comma or bracket belongs.
    Unexpected(u8),
}

impl From<io::Error> for JsonError {
    fn from(error: io::Error) -> Self {
        JsonError::Io(error)
    }
}

/// Reads JSON text piece by piece and knows where it stands.
pub(super) struct Scanner<R> {
    reader: R,
    /// Line, from 1.
    pub(super) line: u64,
    /// Bytes consumed.
    pub(super) byte: u64,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(reader: R) -> Scanner<R> {
        Scanner { reader, line: 1, byte: 0 }
    }

    fn consume(&mut self, n: usize) {
        self.byte += n as u64;
        self.reader.consume(n);
    }

    /// The next byte that is no white space (nor a byte order mark), not consumed; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, JsonError> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let space = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0xef | 0xbb | 0xbf);
            let skip = buffer.iter().take_while(|b| space(b)).count();
            let next = buffer.get(skip).copied();
            let lines = buffer[..skip].iter().filter(|b| **b == b'\n').count();
            self.line += lines as u64;
            self.consume(skip);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Consumes this byte if it comes next.
    pub(super) fn accept(&mut self, wanted: u8) -> Result<bool, JsonError> {
        let found = self.peek()? == Some(wanted);
        if found {
            self.consume(1);
        }
        Ok(found)
    }

    /// Copies the next value to `out`. Only brackets and quotes are looked at: whether the value is good JSON is for whoever
    /// parses it.
    pub(super) fn value(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        match self.peek()? {
            None => return Err(JsonError::Ends),
            Some(b @ (b',' | b':' | b']' | b'}')) => return Err(JsonError::Unexpected(b)),
            Some(_) => {}
        }
        let (mut depth, mut text, mut escaped, start) = (0usize, false, false, out.len());
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                let scalar = depth == 0 && !text && out.len() > start;
                return if scalar { Ok(()) } else { Err(JsonError::Ends) };
            }
            let (mut used, mut lines, mut done) = (0, 0, false);
            for b in buffer {
                if depth == 0
                    && !text
                    && out.len() + used > start
                    && matches!(b, b',' | b'}' | b']' | b'\n' | b' ' | b'\r' | b'\t')
                {
                    done = true;
                    break;
                }
                used += 1;
                if *b == b'\n' {
                    lines += 1;
                }
                if text {
                    match b {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => {
                            text = false;
                            done = depth == 0;
                        }
                        _ => {}
                    }
                } else {
                    match b {
                        b'"' => text = true,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => {
                            depth -= 1;
                            done = depth == 0;
                        }
                        _ => {}
                    }
                }
                if done {
                    break;
                }
            }
            out.extend_from_slice(&buffer[..used]);
            self.line += lines;
            self.consume(used);
            if done {
                return Ok(());
            }
            if out.len() - start > MAX_VALUE {
                return Err(JsonError::TooLarge);
            }
        }
    }

    /// Reads a line into `out` (emptied first), without its end; false at the end of the file. A line above [`MAX_VALUE`] is
    /// passed over and reported.
    pub(super) fn text_line(&mut self, out: &mut Vec<u8>) -> Result<bool, JsonError> {
        out.clear();
        let mut too_large = false;
        let mut any = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|b| *b == b'\n');
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            if out.len() + piece.len() > MAX_VALUE {
                too_large = true;
            } else if !too_large {
                out.extend_from_slice(piece);
            }
            let used = end.map_or(buffer.len(), |e| e + 1);
            self.consume(used);
            if end.is_some() {
                break;
            }
        }
        if too_large { Err(JsonError::TooLarge) } else { Ok(any) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_out_whole() {
        let text = br#" {"a":"}\"]","b":[1,{"c":2}]} , "x\\", 12.5 ,true]"#;
        // A tiny buffer, so that every value crosses its border.
        let mut s = Scanner::new(std::io::BufReader::with_capacity(3, &text[..]));
        let mut values = Vec::new();
        for _ in 0..4 {
            let mut out = Vec::new();
            s.value(&mut out).unwrap();
            values.push(String::from_utf8(out).unwrap());
            s.accept(b',').unwrap();
        }
        assert_eq!(values, [r#"{"a":"}\"]","b":[1,{"c":2}]}"#, r#""x\\""#, "12.5", "true"]);
        assert!(s.accept(b']').unwrap());
        assert!(matches!(Scanner::new(&b"{\"a\":"[..]).value(&mut Vec::new()), Err(JsonError::Ends)));
    }
}
