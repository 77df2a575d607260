//! Figures: lists of shapes, drawn as SVG and as PNG by the same code.
//!
//! Every text is drawn from the outlines of a font that is part of the program, so that
//! a machine without fonts draws the same picture and a viewer without them shows it.

mod census;
mod dots;
mod draw;
mod fidelity;
mod font;
mod history;
mod kernel_history;
#[cfg(test)]
mod legible;
mod lines;
mod panels;
mod scale;
mod series;
mod shapes;

use std::fs;
use std::path::{Path, PathBuf};

pub use census::census_figure;
pub use fidelity::{fidelity_figure, time_fidelity_figure};
pub use history::history_figures;
pub use kernel_history::kernel_history_figure;
pub use lines::line_figures;

use compare::Summary;
use shapes::Shape;

/// A figure, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Figure {
    /// File name without extension: `cost-order-iteration`.
    pub name: String,
    /// Its title in an index.
    pub title: String,
    /// The alternative text: panels, axes, series.
    pub alt: String,
    /// Width and height in pixels of the SVG; the PNG has twice as many.
    pub size: (u32, u32),
    shapes: Vec<Shape>,
}

/// Why a figure could not be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// The drawing library refused.
    #[error("figure {name}: {reason}")]
    Draw {
        /// The figure.
        name: String,
        /// Error of the library.
        reason: String,
    },
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        #[source]
        source: std::io::Error,
    },
    /// The text of the figure could not be stored.
    #[error(transparent)]
    Store(#[from] results::RecordError),
}

/// All figures that a run's summary holds data for.
#[must_use]
pub fn figures(summary: &Summary) -> Vec<Figure> {
    let mut figures = series::cost_figures(summary);
    figures.extend(dots::ratio_figures(summary));
    figures.extend(series::value_figures(summary));
    figures
}

impl Figure {
    /// The figure as SVG.
    ///
    /// # Errors
    ///
    /// [`FigureError::Draw`].
    pub fn svg(&self) -> Result<String, FigureError> {
        draw::svg(self).map_err(|reason| self.refused(reason))
    }

    /// Writes `NAME.svg` and `NAME.png` into a directory, each whole or not at all, and
    /// returns their paths.
    ///
    /// # Errors
    ///
    /// [`FigureError`].
    pub fn write(&self, dir: &Path) -> Result<[PathBuf; 2], FigureError> {
        let svg = dir.join(format!("{}.svg", self.name));
        let png = dir.join(format!("{}.png", self.name));
        results::write_whole(&svg, self.svg()?.as_bytes())?;
        // The drawing library only writes PNGs to a path that ends in .png.
        let io = |source| FigureError::Io {
            path: png.clone(),
            source,
        };
        let part = tempfile::Builder::new()
            .prefix(".partial-")
            .suffix(".png")
            .tempfile_in(dir)
            .map_err(io)?;
        draw::png(self, part.path()).map_err(|reason| self.refused(reason))?;
        let bytes = fs::read(part.path()).map_err(io)?;
        results::write_whole(&png, &bytes)?;
        Ok([svg, png])
    }

    fn refused(&self, reason: String) -> FigureError {
        FigureError::Draw {
            name: self.name.clone(),
            reason,
        }
    }
}

/// Draws figures into a directory, which is made if it is missing. Returns the files.
///
/// # Errors
///
/// [`FigureError`], at the first figure that cannot be written.
pub fn write_figures(figures: &[Figure], dir: &Path) -> Result<Vec<PathBuf>, FigureError> {
    fs::create_dir_all(dir).map_err(|source| FigureError::Io {
        path: dir.to_owned(),
        source,
    })?;
    let mut files = Vec::new();
    for figure in figures {
        files.extend(figure.write(dir)?);
    }
    Ok(files)
}
