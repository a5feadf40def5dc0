//! What a header needs of the front end.

#[path = "../../../../src/frontend/colormap.rs"]
pub mod colormap;
#[path = "../../../../src/frontend/config/mod.rs"]
pub mod config;
#[path = "../../../../src/frontend/presets.rs"]
pub mod presets;
