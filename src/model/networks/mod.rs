//! One file per network.

mod compact;
mod deeppixel;

pub use compact::Compact;
pub use deeppixel::DeepPixel;
