//! `images.csv`: which image of a folder is of which file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::files::text_of_path;
use crate::files::{Claims, Ours, OutFile};

/// Name of the list.
const LIST: &str = "images.csv";
const HEADER: &str = "image,file,clip\n";
/// The list is recognized by its header.
const OURS: Ours = Ours {
    what: "a list of images",
    is: |head| head.starts_with(HEADER),
};

/// The images of a folder, those of earlier runs included. No image takes the place of one of
/// another file.
pub struct ImageList {
    folder: PathBuf,
    path: PathBuf,
    /// The file that each image is of.
    files: HashMap<String, String>,
    /// What stands before the next row: the header of a new list, or the end of a line that a kill
    /// cut off.
    before: &'static str,
}

impl ImageList {
    /// Reads the list of a folder, if there is one.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(LIST);
        Claims::default().output(&path, OURS)?;
        let text = std::fs::read(&path).unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(text.as_slice());
        // A line that a kill cut off has too few fields.
        let rows = reader.records().flatten().filter(|row| row.len() == 3);
        Ok(Self {
            folder: folder.to_owned(),
            files: rows.map(|row| (row[0].into(), row[1].into())).collect(),
            before: match (text.starts_with(HEADER.as_bytes()), text.ends_with(b"\n")) {
                (false, _) => HEADER,
                (true, false) => "\n",
                (true, true) => "",
            },
            path,
        })
    }

    /// Returns the paths for the images of a file's clips, and lists them. They are named after the
    /// file, with a number if a name belongs to another file, or to nobody that the list knows.
    pub fn names(&mut self, file: &Path, clips: usize) -> anyhow::Result<Vec<PathBuf>> {
        let stem = file
            .file_stem()
            .map_or_else(|| "clip".into(), |s| s.to_string_lossy());
        let source = source(file);
        let names = (1..)
            .map(|n| match n {
                1 => stem.to_string(),
                n => format!("{stem}-{n}"),
            })
            .map(|stem| names(&stem, clips))
            .find(|names| names.iter().all(|name| self.is_free(name, &source)))
            .unwrap_or_default();
        let listed = self.list(&names, &source);
        listed.with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(names.iter().map(|name| self.folder.join(name)).collect())
    }

    fn is_free(&self, name: &str, source: &str) -> bool {
        match self.files.get(name) {
            Some(known) => known == source,
            None => self.folder.join(name).symlink_metadata().is_err(),
        }
    }

    /// Adds the images to the list before they are drawn: no image is in the folder that the list
    /// does not know.
    fn list(&mut self, names: &[String], source: &str) -> std::io::Result<()> {
        use std::io::Write;
        let mut rows = csv::Writer::from_writer(Vec::new());
        for (clip, name) in names.iter().enumerate() {
            if self.files.insert(name.clone(), source.to_owned()).is_none() {
                rows.write_record([name, source, &clip.to_string()])?;
            }
        }
        let rows = rows.into_inner().map_err(|e| e.into_error())?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut file = match self.before {
            // Also in place of a header that a kill cut off.
            HEADER => OutFile::create(&self.path)?,
            _ => OutFile::append(&self.path)?,
        };
        file.write_all(&[self.before.as_bytes(), &rows].concat())?;
        self.before = "";
        Ok(())
    }
}

/// The names of a file's images: one, or one per clip.
fn names(stem: &str, clips: usize) -> Vec<String> {
    match clips {
        1 => vec![format!("{stem}.png")],
        n => (0..n).map(|clip| format!("{stem}.{clip:03}.png")).collect(),
    }
}

/// Returns a file's name so that it is the same from every folder.
fn source(file: &Path) -> String {
    let whole = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    text_of_path(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_image_takes_the_place_of_another_files() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let draw = |file: &str, clips| {
            let mut list = ImageList::open(out).unwrap();
            let paths = list.names(file.as_ref(), clips).unwrap();
            let names = paths.iter().map(|path| {
                std::fs::write(path, file).unwrap();
                path.file_name().unwrap().to_str().unwrap().to_owned()
            });
            names.collect::<Vec<_>>()
        };
        std::fs::write(out.join("c.png"), "a photograph").unwrap();
        assert_eq!(draw("/one/a.wav", 1), ["a.png"]);
        assert_eq!(draw("/two/a.wav", 1), ["a-2.png"]);
        assert_eq!(draw("/one/a.wav", 1), ["a.png"]);
        assert_eq!(draw("/one/a.wav", 2), ["a.000.png", "a.001.png"]);
        // A single clip of this file would have the name of a clip of that one.
        assert_eq!(draw("/one/a.001.wav", 1), ["a.001-2.png"]);
        assert_eq!(draw("/one/c.wav", 1), ["c-2.png"]);
        let list = std::fs::read_to_string(out.join(LIST)).unwrap();
        assert_eq!(
            list,
            "image,file,clip\na.png,/one/a.wav,0\na-2.png,/two/a.wav,0\na.000.png,/one/a.wav,0\n\
             a.001.png,/one/a.wav,1\na.001-2.png,/one/a.001.wav,0\nc-2.png,/one/c.wav,0\n"
        );
        // A list of another program is not touched.
        std::fs::write(out.join(LIST), "holiday,photos\n").unwrap();
        assert!(ImageList::open(out).is_err());
    }
}
