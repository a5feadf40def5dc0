"""Metal pattern sets (format: see the package docstring)."""

from .gm import CRASH, HAT, KICK, OPEN_HAT, RIDE, SNARE

PATTERNS = {
    "thrash": {
        "bpm": (160, 210),
        "swing": (0, 0),
        "drums": {
            KICK: ["9.7.9.7.9.7.9.7.", "9.9.7.9.9.9.7.9."],
            SNARE: ["....9.......9...", "..9...9...9...9."],
            RIDE: ["7...7...7...7..."],
            HAT: ["", "7.7.7.7.7.7.7.7."],
            CRASH: ["9..............................."],
        },
        "bass": "riff",
        "comp": [
            ((30,), "riff", "pow", 45, 100),
            ((30, 29), "riff", "pow", 45, 88),
        ],
        "riff": ["xxxxxxxxX-xxX-xx", "x.xxx.xxx.xxX-X-", "xxxxX-X-xxxxX---"],
        "progressions": "mm",
    },
    "gallop": {
        "bpm": (125, 168),
        "swing": (0, 0),
        "drums": {
            KICK: ["9.779.779.779.77", "9...7...9...7..."],
            SNARE: ["....9.......9..."],
            HAT: ["7...7...7...7...", "7.7.7.7.7.7.7.7."],
            CRASH: ["9..............................."],
        },
        "bass": "riff",
        "comp": [
            ((30, 29), "riff", "pow", 47, 100),
            ((29, 30), "riff", "pow", 47, 80),
        ],
        "riff": ["x.xxx.xxx.xxx.xx", "x.xxx.xxX---X---"],
        "progressions": "mm",
    },
    "doom": {
        "bpm": (54, 82),
        "swing": (0, 0),
        "drums": {
            KICK: ["9.......9.7.....", "9.....7.9......."],
            SNARE: ["....9.......9..."],
            RIDE: ["7...7...7...7..."],
            CRASH: ["9...............", "9.......8......."],
        },
        "bass": "riff",
        "comp": [
            ((30,), "riff", "pow", 40, 100),
            ((30,), "riff", "pow", 52, 70),
        ],
        "riff": ["X-------X-------", "X---------X---X-", "X-----x-X-------"],
        "progressions": "md",
    },
    "groove": {
        "bpm": (92, 126),
        "swing": (0, 0),
        "drums": {
            KICK: ["9..99..99.9.9..9", "9.9...9.9..9..9."],
            SNARE: ["....9.......9..."],
            HAT: ["7...7...7...7..."],
            CRASH: ["8..............................."],
        },
        "bass": "riff",
        "comp": [
            ((30,), "riff", "pow", 40, 100),
            ((30, 29), "riff", "pow", 40, 84),
        ],
        "riff": ["x..xx..xx.x.X--x", "X.x...x.x..x..X.", "x.xx..x.X-..x.xx"],
        "progressions": "md",
    },
    "heavy80": {
        "bpm": (108, 148),
        "swing": (0, 0),
        "drums": {
            KICK: ["9...9...9...9...", "9.......9.9....."],
            SNARE: ["....9.......9..."],
            HAT: ["7.7.7.7.7.7.7.7."],
            CRASH: ["8..............................."],
        },
        "bass": "riff",
        "comp": [
            ((30, 29), "riff", "pow", 47, 94),
            ((29, 30), "X---------------", "pow", 52, 60),
        ],
        "riff": ["x.x.x.x.x.x.X---", "x.x.X---x.x.X-x.", "X-x.x.X-x.x.X-x."],
        "progressions": "mm",
    },
    "blast": {
        "bpm": (165, 215),
        "swing": (0, 0),
        "drums": {
            KICK: ["9.9.9.9.9.9.9.9."],
            SNARE: [".9.9.9.9.9.9.9.9"],
            RIDE: ["7.7.7.7.7.7.7.7."],
            CRASH: ["9..............................."],
        },
        "bass": "riff",
        "comp": [
            ((30,), "riff", "pow", 42, 100),
            ((30,), "riff", "pow", 54, 74),
        ],
        "riff": ["xxxxxxxxxxxxxxxx", "xxxxxxxxX---X---"],
        "progressions": "md",
    },
    "numetal": {
        "bpm": (88, 112),
        "swing": (0, 0),
        "drums": {
            KICK: ["9..9......9..9..", "9.....9.9......."],
            SNARE: ["....9.......9..."],
            HAT: ["6.6.6.6.6.6.6.6."],
            OPEN_HAT: ["", "7...7...7...7..."],
        },
        "bass": "riff",
        "comp": [
            ((30,), "riff", "pow", 38, 100),
            ((28, 27), "x..x..x...x.x...", "arp", 64, 44),
        ],
        "riff": ["X..X......X--X--", "x.x...X-x...X---"],
        "progressions": "md",
    },
    "power": {
        "bpm": (140, 182),
        "swing": (0, 0),
        "drums": {
            KICK: ["9999999999999999", "9.9.9.9.9.9.9.9."],
            SNARE: ["....9.......9..."],
            RIDE: ["7...7...7...7..."],
            CRASH: ["9..............................."],
        },
        "bass": "riff",
        "comp": [
            ((30,), "riff", "pow", 47, 96),
            ((48, 50, 52), "X---------------", "wide", 64, 56),
        ],
        "riff": ["xxxxxxxxxxxxxxxx", "x.x.x.x.x.x.x.x.", "xx.xxx.xxx.xX---"],
        "progressions": "mm",
    },
}
