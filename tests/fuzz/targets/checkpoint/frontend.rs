//! What a header needs of the front end.

#[path = "../../../../src/frontend/colormap.rs"]
pub mod colormap;
#[path = "../../../../src/frontend/presets.rs"]
pub mod presets;
#[path = "../../../../src/frontend/settings.rs"]
pub mod settings;
