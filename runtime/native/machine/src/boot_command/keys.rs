//! Names and characters → QMP key codes (`QKeyCode` in QEMU's `qapi/ui.json`), US layout.

/// The key called `name` in `<name>`, in any case.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, code)| *code)
}

/// The longest name, to bound the search for `>`.
pub(super) const LONGEST_NAME: usize = 12;

const NAMED: &[(&str, &str)] = &[
    ("bs", "backspace"),
    ("del", "delete"),
    ("tab", "tab"),
    ("enter", "ret"),
    ("return", "ret"),
    ("esc", "esc"),
    ("spacebar", "spc"),
    ("f1", "f1"),
    ("f2", "f2"),
    ("f3", "f3"),
    ("f4", "f4"),
    ("f5", "f5"),
    ("f6", "f6"),
    ("f7", "f7"),
    ("f8", "f8"),
    ("f9", "f9"),
    ("f10", "f10"),
    ("f11", "f11"),
    ("f12", "f12"),
    ("up", "up"),
    ("down", "down"),
    ("left", "left"),
    ("right", "right"),
    ("home", "home"),
    ("end", "end"),
    ("pageup", "pgup"),
    ("pagedown", "pgdn"),
    ("insert", "insert"),
    ("menu", "menu"),
    ("leftshift", "shift"),
    ("rightshift", "shift_r"),
    ("leftctrl", "ctrl"),
    ("rightctrl", "ctrl_r"),
    ("leftalt", "alt"),
    ("rightalt", "alt_r"),
    ("leftsuper", "meta_l"),
    ("rightsuper", "meta_r"),
    ("leftcommand", "meta_l"),
    ("rightcommand", "meta_r"),
    ("leftoption", "alt"),
    ("rightoption", "alt_r"),
];

/// The key of a character and whether it needs shift.
pub(super) fn of_character(character: char) -> Option<(&'static str, bool)> {
    if let Some(index) = SHIFTED.iter().position(|(shifted, _)| *shifted == character) {
        return SHIFTED.get(index).map(|(_, code)| (*code, true));
    }
    if let Some(code) = PLAIN.iter().find(|(plain, _)| *plain == character.to_ascii_lowercase()) {
        return Some((code.1, character.is_ascii_uppercase()));
    }
    None
}

const PLAIN: &[(char, &str)] = &[
    ('a', "a"),
    ('b', "b"),
    ('c', "c"),
    ('d', "d"),
    ('e', "e"),
    ('f', "f"),
    ('g', "g"),
    ('h', "h"),
    ('i', "i"),
    ('j', "j"),
    ('k', "k"),
    ('l', "l"),
    ('m', "m"),
    ('n', "n"),
    ('o', "o"),
    ('p', "p"),
    ('q', "q"),
    ('r', "r"),
    ('s', "s"),
    ('t', "t"),
    ('u', "u"),
    ('v', "v"),
    ('w', "w"),
    ('x', "x"),
    ('y', "y"),
    ('z', "z"),
    ('0', "0"),
    ('1', "1"),
    ('2', "2"),
    ('3', "3"),
    ('4', "4"),
    ('5', "5"),
    ('6', "6"),
    ('7', "7"),
    ('8', "8"),
    ('9', "9"),
    (' ', "spc"),
    ('\t', "tab"),
    ('\n', "ret"),
    ('\r', "ret"),
    ('-', "minus"),
    ('=', "equal"),
    ('[', "bracket_left"),
    (']', "bracket_right"),
    ('\\', "backslash"),
    (';', "semicolon"),
    ('\'', "apostrophe"),
    ('`', "grave_accent"),
    (',', "comma"),
    ('.', "dot"),
    ('/', "slash"),
];

const SHIFTED: &[(char, &str)] = &[
    ('~', "grave_accent"),
    ('!', "1"),
    ('@', "2"),
    ('#', "3"),
    ('$', "4"),
    ('%', "5"),
    ('^', "6"),
    ('&', "7"),
    ('*', "8"),
    ('(', "9"),
    (')', "0"),
    ('_', "minus"),
    ('+', "equal"),
    ('{', "bracket_left"),
    ('}', "bracket_right"),
    ('|', "backslash"),
    (':', "semicolon"),
    ('"', "apostrophe"),
    ('<', "comma"),
    ('>', "dot"),
    ('?', "slash"),
];
