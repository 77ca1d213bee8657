//! Pictures, small and comparable.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Steps of a colour that are kept: 16.
const STEP: u8 = 17;
/// A colour further off than this (of 255) is another one; less is how letters are smoothed.
const FAR: u8 = 48;

/// A picture in red, green and blue, eight bits each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Reads a PNG; transparency is left out.
    ///
    /// # Errors
    /// If it cannot be read, or has a palette or sixteen bits.
    pub fn read(path: &Path) -> Result<Picture> {
        let of = || path.display().to_string();
        let mut reader =
            png::Decoder::new(BufReader::new(File::open(path).with_context(of)?)).read_info().with_context(of)?;
        let mut bytes = vec![0; reader.output_buffer_size().with_context(of)?];
        let frame = reader.next_frame(&mut bytes).with_context(of)?;
        let channels = match (frame.color_type, frame.bit_depth) {
            (png::ColorType::Rgb, png::BitDepth::Eight) => 3,
            (png::ColorType::Rgba, png::BitDepth::Eight) => 4,
            other => bail!("{}: {other:?} is not read", of()),
        };
        let pixels = bytes[..frame.buffer_size()].chunks_exact(channels).map(|p| [p[0], p[1], p[2]]).collect();
        Ok(Picture { width: frame.width as usize, height: frame.height as usize, pixels })
    }

    /// Writes it as PNG.
    ///
    /// # Errors
    /// If it cannot.
    pub fn write(&self, path: &Path) -> Result<()> {
        let file = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
        let mut encoder = png::Encoder::new(file, u32::try_from(self.width)?, u32::try_from(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder.write_header()?.write_image_data(self.pixels.as_flattened())?;
        Ok(())
    }

    /// Half as wide and high, in 16 steps a colour.
    #[must_use]
    pub fn small(&self) -> Picture {
        let (width, height) = (self.width / 2, self.height / 2);
        let at = |x: usize, y: usize, c: usize| u32::from(self.pixels[y * self.width + x][c]);
        let mixed = |x: usize, y: usize, c: usize| {
            let sum =
                at(2 * x, 2 * y, c) + at(2 * x + 1, 2 * y, c) + at(2 * x, 2 * y + 1, c) + at(2 * x + 1, 2 * y + 1, c);
            let mean = u8::try_from(sum / 4).unwrap_or(u8::MAX);
            (mean.saturating_add(STEP / 2) / STEP) * STEP
        };
        let pixels =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| [0, 1, 2].map(|c| mixed(x, y, c)));
        Picture { width, height, pixels: pixels.collect() }
    }
}

/// Share of the pixels (0 to 1) with another colour; 1 where the sizes differ.
#[must_use]
pub fn difference(a: &Picture, b: &Picture) -> f64 {
    if (a.width, a.height) != (b.width, b.height) || a.pixels.is_empty() {
        return 1.0;
    }
    let other = |(p, q): &(&[u8; 3], &[u8; 3])| p.iter().zip(*q).any(|(x, y)| x.abs_diff(*y) > FAR);
    a.pixels.iter().zip(&b.pixels).filter(other).count() as f64 / a.pixels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn striped(width: usize, from: usize) -> Picture {
        let pixels = (0..width * 4).map(|i| if (i % width) >= from { [255, 255, 255] } else { [20, 20, 30] });
        Picture { width, height: 4, pixels: pixels.collect() }
    }

    #[test]
    fn what_moved_is_another_picture_and_a_shade_is_not() {
        let one = striped(20, 10);
        assert!(difference(&one, &one).abs() < 1e-9);
        assert!((difference(&one, &striped(20, 12)) - 0.1).abs() < 1e-9);
        assert!((difference(&one, &striped(22, 10)) - 1.0).abs() < 1e-9, "another size is another picture");
        let mut shaded = one.clone();
        shaded.pixels.iter_mut().for_each(|p| p[0] = p[0].saturating_sub(16));
        assert!(difference(&one, &shaded).abs() < 1e-9);
    }

    #[test]
    fn a_small_one_goes_to_disk_and_back() {
        let small = striped(20, 10).small();
        assert_eq!(
            (small.width, small.height, small.pixels[0], small.pixels[9]),
            (10, 2, [17, 17, 34], [255, 255, 255])
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        small.write(&path).unwrap();
        assert_eq!(Picture::read(&path).unwrap(), small);
    }
}
