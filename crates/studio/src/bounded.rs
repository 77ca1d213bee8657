//! Files that other files name: a descriptor set, recorded arrivals, what a design refers to.
//!
//! Whoever wrote the file chose the name. A device never ends, a pipe never begins, and the length that the system tells of
//! either is nothing: only regular files are opened, and no more is read than is allowed, whatever they say of themselves.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The content of a regular file of at most `most` bytes.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidInput`] for what is no regular file, [`io::ErrorKind::FileTooLarge`].
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Before it is opened: opening a pipe waits for somebody to write.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_within_bounds_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [7; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap(), [7; 10]);
        assert!(read(&path, 9).unwrap_err().to_string().contains("larger than"));
        assert!(read(folder.path(), 9).unwrap_err().to_string().contains("no regular file"));
        #[cfg(unix)]
        for endless in ["/dev/zero", "/dev/null"] {
            assert!(read(Path::new(endless), 9).is_err(), "{endless}");
        }
    }
}
