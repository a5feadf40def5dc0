//! One file per network of the list.

use super::list::for_each_network;

macro_rules! declare_networks {
    ($($file:ident::$name:ident = $text:literal, $about:literal;)*) => {
        $(
            mod $file;
            pub use $file::$name;
        )*
    };
}

for_each_network!(declare_networks);
