//! Promise: a front-end configuration is checked, has a shape, and is read back as it was written.

use sonoprint::frontend::config::{
    Compression, FrontEndConfig, ImageConfig, Output, Range, Rows, Size,
};
use sonoprint::frontend::presets::{self, UnknownPreset};

fn image(range: Range, size: Option<Size>) -> Output {
    Output::Image(ImageConfig {
        range,
        size,
        ..ImageConfig::default()
    })
}

#[test]
fn wrong_configurations_are_named() {
    let mel = presets::mel();
    let wrong = |s: FrontEndConfig| s.validate().unwrap_err().to_string();
    assert_eq!(
        wrong(FrontEndConfig {
            n_fft: 1000,
            ..mel.clone()
        }),
        "n_fft is 1000: it must be a power of two from 256 to 8192"
    );
    assert_eq!(
        wrong(FrontEndConfig {
            hop: 0,
            ..mel.clone()
        }),
        "hop is 0: it must be from 1 to n_fft (2048)"
    );
    assert!(
        wrong(FrontEndConfig {
            clip_samples: 0,
            ..mel.clone()
        })
        .contains("a clip of 0 samples")
    );
    assert!(
        wrong(FrontEndConfig {
            hop: 1,
            ..mel.clone()
        })
        .contains("65535")
    );
    assert!(
        wrong(FrontEndConfig {
            output: image(Range::Top { db: f64::NAN }, None),
            ..mel.clone()
        })
        .contains("range.top.db")
    );
    let rows = Rows::Mel {
        n_mels: 10,
        f_min: 0.0,
        f_max: 20_000.0,
    };
    assert!(
        wrong(FrontEndConfig {
            rows,
            ..mel.clone()
        })
        .contains("f_max <= 11025")
    );
    let picture = Some(Size {
        height: 0,
        width: 5,
    });
    assert!(wrong(mel.clone().with_image_size(picture)).contains("5x0"));
    assert_eq!(presets::preset("x").unwrap_err(), UnknownPreset("x".into()));
    // Features need a value in every cell.
    let features = |compression| FrontEndConfig {
        compression,
        output: Output::Features,
        ..mel.clone()
    };
    assert!(wrong(features(Compression::Masked)).contains("'floor' or 'log'"));
    assert!(wrong(features(Compression::Floor { amin: 1e-50 })).contains("amin is"));
    assert!(wrong(features(Compression::Log { scale: 1e50 })).contains("scale is"));
    assert!(wrong(features(Compression::Log { scale: -1.0 })).contains("positive"));
    assert_eq!(
        features(Compression::Floor { amin: 1e-10 }).validate(),
        Ok(())
    );
}

/// The shape of the output names channels, height and width, and which of them is time.
#[test]
fn outputs_have_a_shape() {
    let shape = |s: &FrontEndConfig| (s.output_shape(), s.output_axes().time);
    assert_eq!(shape(&presets::deeppixel()), ([4, 720, 720], 720));
    assert_eq!(shape(&presets::mel()), ([4, 128, 1292], 1292));
    let features = FrontEndConfig {
        output: Output::Features,
        ..presets::mel()
    };
    assert_eq!(shape(&features), ([1, 1292, 128], 1292));
}

/// A configuration reads back equal, and texts of earlier versions are read.
#[test]
fn configurations_are_read_back() {
    let features = FrontEndConfig {
        compression: Compression::Log { scale: 1e4 },
        output: Output::Features,
        ..presets::mel()
    };
    let named = presets::names().map(|name| presets::preset(name).unwrap());
    for settings in named.chain([features]) {
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(
            toml::from_str::<FrontEndConfig>(&text),
            Ok(settings.clone())
        );
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(
            serde_json::from_str::<FrontEndConfig>(&json).unwrap(),
            settings
        );
    }
    // As the first version wrote it, in British spelling.
    let old = r#"
        preset = "mel"
        sample_rate = 22050
        clip_samples = 661500
        n_fft = 2048
        hop = 512
        framing = "centre_zeros"
        window = "hann_periodic"
        colormap = "inferno"
        scale = "power"
        rows.mel = { n_mels = 128, f_min = 0.0, f_max = 11025.0 }
        decibels.floor.amin = 0.0000000001
        range.top.db = 80.0
    "#;
    let read = |text: &str| toml::from_str::<FrontEndConfig>(text);
    assert_eq!(read(old), Ok(presets::mel()));
    let sized = format!("{old}\npicture = {{ height = 128, width = 216 }}");
    let size = Some(Size {
        height: 128,
        width: 216,
    });
    assert_eq!(read(&sized), Ok(presets::mel().with_image_size(size)));
    // Half of each form is neither.
    let both = format!("{old}\noutput = \"features\"");
    assert!(
        read(&both)
            .unwrap_err()
            .to_string()
            .contains("output.image")
    );
    let none = old.replace("colormap", "#");
    assert!(read(&none).unwrap_err().to_string().contains("`output`"));
    let unknown = format!("{old}\nhopp = 1");
    assert!(read(&unknown).unwrap_err().to_string().contains("hopp"));
}
