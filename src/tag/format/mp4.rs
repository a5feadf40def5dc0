//! MP4: the item list `ilst` in `moov/udta/meta`, where iTunes and everybody after it keep tags.
//!
//! Genres are one item `©gen` with a value each. Sound that lies behind the list moves when the
//! list grows, so the tables that say where it lies are changed, too (`mp4_offsets`).

use std::fs::File;
use std::ops::Range;

use super::mp4_atom::{Atom, Inside, atoms, boxed, child, full_size, top_level};
use super::mp4_items::Items;
use super::mp4_offsets::moved;
use super::{Tags, reading};
use crate::tag::error::TagError;
use crate::tag::field::{Field, TagKind};
use crate::tag::splice::{Splice, read_at};

/// The largest `moov` that is read into memory. A day of sound has one of some MiB.
const MOST: u64 = 512 << 20;

/// The tags of an MP4 file.
pub(super) struct Mp4 {
    /// The atoms of the file.
    top: Vec<Atom>,
    /// `moov` with its header, and where it lies.
    moov: Vec<u8>,
    moov_at: u64,
    items: Items,
}

impl Mp4 {
    /// Reads the atoms from byte `start` on. `len` is the length of the file.
    pub(super) fn read(file: &mut File, start: u64, len: u64) -> Result<Self, TagError> {
        if start > 0 {
            return Err(TagError::unsupported("another tag stands before the MP4"));
        }
        let top = top_level(file, len)?;
        let moov = top.iter().find(|atom| &atom.name == b"moov");
        let moov = moov.ok_or_else(|| TagError::damaged("its `moov` atom is missing"))?;
        if moov.range.end - moov.range.start > MOST {
            return Err(TagError::unsupported(
                "its `moov` atom is longer than 512 MiB",
            ));
        }
        let moov_at = moov.range.start;
        let size = moov.range.end - moov_at;
        let moov = read_at(file, moov_at, size).map_err(reading)?;
        let list = place(&moov)?.list;
        let items = match list {
            Some(list) => Items::parse(&moov[list.body..list.end])?,
            None => Items::default(),
        };
        Ok(Self {
            top,
            moov,
            moov_at,
            items,
        })
    }
}

impl Tags for Mp4 {
    fn kinds(&self) -> Vec<TagKind> {
        vec![TagKind::Mp4]
    }

    fn get(&self, _: TagKind, field: Field) -> Vec<String> {
        self.items.get(field)
    }

    fn set(&mut self, _: TagKind, field: Field, values: &[String]) {
        self.items.set(field, values);
    }

    fn splices(&mut self, file: &mut File) -> Result<Vec<Splice>, TagError> {
        let place = place(&self.moov)?;
        let list = match self.items.to_bytes() {
            items if items.is_empty() => items,
            items => boxed(b"ilst", &items)?,
        };
        // What is put in, and where in `moov`.
        let (range, bytes) = match (place.list, place.meta, place.udta) {
            (Some(list_now), ..) => (list_now.start..list_now.end, list),
            (None, Some(meta), _) => (meta.end..meta.end, list),
            // At its beginning: four zeros may end it.
            (None, None, Some(udta)) => (udta.body..udta.body, meta(&list)?),
            (None, None, None) => {
                let end = self.moov.len();
                (end..end, boxed(b"udta", &meta(&list)?)?)
            }
        };
        let growth = bytes.len() as i64 - range.len() as i64;
        let at = self.moov_at;
        let mut splices = Vec::new();
        // The atoms around it become longer.
        let whole = Inside {
            start: 0,
            body: full_size(&self.moov).0,
            end: self.moov.len(),
        };
        let around = [Some(whole), place.udta, place.meta];
        for atom in around.into_iter().flatten() {
            let (header, size) = full_size(&self.moov[atom.start..]);
            let new = size.saturating_add_signed(growth);
            let start = at + atom.start as u64;
            splices.push(match header {
                16 => Splice::over(start + 8, new.to_be_bytes()),
                // The atom that ends with the file states no size.
                _ if self.moov[atom.start..atom.start + 4] == [0; 4] => continue,
                _ => {
                    let new = u32::try_from(new)
                        .map_err(|_| TagError::unsupported("its tags would be too long"))?;
                    Splice::over(start, new.to_be_bytes())
                }
            });
        }
        if growth != 0 {
            let from = at + range.end as u64;
            splices.extend(moved(file, &self.top, &self.moov, at, from, growth)?);
        }
        splices.push(Splice {
            range: at + range.start as u64..at + range.end as u64,
            bytes,
        });
        Ok(splices)
    }
}

/// Where the item list is, and what there is around it.
struct Place {
    udta: Option<Inside>,
    meta: Option<Inside>,
    list: Option<Inside>,
}

fn place(moov: &[u8]) -> Result<Place, TagError> {
    let (header, _) = full_size(moov);
    let whole: Range<usize> = header..moov.len();
    if child(moov, whole.clone(), b"cmov")?.is_some() {
        return Err(TagError::unsupported("its `moov` atom is compressed"));
    }
    let udta = child(moov, whole, b"udta")?;
    let mut place = Place {
        udta,
        meta: None,
        list: None,
    };
    let Some(udta) = udta else { return Ok(place) };
    let Some(mut meta) = child(moov, udta.body..udta.end, b"meta")? else {
        return Ok(place);
    };
    // MP4 has four bytes of version and flags here, QuickTime has none.
    if moov.get(meta.body + 4..meta.body + 8) != Some(b"hdlr") {
        meta.body = (meta.body + 4).min(meta.end);
    }
    if let Some(handler) = child(moov, meta.body..meta.end, b"hdlr")?
        && moov.get(handler.body + 8..handler.body + 12) != Some(b"mdir")
    {
        let why = "the metadata in its `udta` atom is not a list of items";
        return Err(TagError::unsupported(why));
    }
    place.meta = Some(meta);
    place.list = child(moov, meta.body..meta.end, b"ilst")?;
    // Every atom in it is looked at, so that a damaged one is found before anything is written.
    if let Some(list) = place.list {
        atoms(moov, list.body..list.end)?;
    }
    Ok(place)
}

/// Returns a `meta` atom that holds a list of items.
fn meta(list: &[u8]) -> Result<Vec<u8>, TagError> {
    // Version and flags, nothing, the kind of handler, its maker, nothing and an empty name.
    let mut handler = vec![0; 8];
    handler.extend(b"mdirappl");
    handler.extend([0; 9]);
    let body = [&[0; 4][..], &boxed(b"hdlr", &handler)?, list].concat();
    boxed(b"meta", &body)
}
