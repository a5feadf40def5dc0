//! The part of `crate::frontend` that a header needs.

#[path = "../../../../src/frontend/colormap.rs"]
pub mod colormap;
#[path = "../../../../src/frontend/config/mod.rs"]
pub mod config;
#[path = "../../../../src/frontend/presets.rs"]
pub mod presets;
