//! Colours of the window's two themes, by role: the same values as its tokens (a test compares them).

/// Which of the window's themes a picture wears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark.
    Dark,
    /// Light.
    #[default]
    Light,
}

impl Theme {
    /// The inverse of the wire's `dark` and `light`.
    pub fn parse(text: &str) -> Option<Theme> {
        match text {
            "dark" => Some(Theme::Dark),
            "light" => Some(Theme::Light),
            _ => None,
        }
    }

    pub(super) fn colours(self) -> &'static Colours {
        match self {
            Theme::Dark => &DARK,
            Theme::Light => &LIGHT,
        }
    }
}

/// Colours by role.
pub(super) struct Colours {
    pub(super) page: &'static str,
    pub(super) band: &'static str,
    pub(super) band_line: &'static str,
    pub(super) card: &'static str,
    pub(super) line: &'static str,
    pub(super) dashed: &'static str,
    pub(super) text: &'static str,
    pub(super) soft: &'static str,
    pub(super) meta: &'static str,
    pub(super) sync: &'static str,
    pub(super) sync_soft: &'static str,
    pub(super) event: &'static str,
    pub(super) event_back: &'static str,
    pub(super) event_line: &'static str,
    pub(super) error: &'static str,
    pub(super) error_back: &'static str,
    pub(super) error_line: &'static str,
    pub(super) warn: &'static str,
    pub(super) warn_line: &'static str,
    pub(super) ok: &'static str,
    /// Backend, system, process, experience, consumer.
    pub(super) layers: [&'static str; 5],
}

impl Colours {
    /// Colour of a layer by its word on the wire.
    pub(super) fn layer(&self, layer: &str) -> &'static str {
        let order = ["backend", "system", "process", "experience", "consumer"];
        order.iter().position(|l| *l == layer).map_or(self.event, |i| self.layers[i])
    }

    /// Each role with the name of the window's token.
    #[cfg(test)]
    pub(super) fn tokens(&self) -> Vec<(&'static str, &'static str)> {
        let mut out = vec![
            ("bg-0", self.page),
            ("band", self.band),
            ("band-line", self.band_line),
            ("bg-2", self.card),
            ("line-2", self.line),
            ("line-3", self.dashed),
            ("tx-1", self.text),
            ("tx-2", self.soft),
            ("tx-3", self.meta),
            ("sync", self.sync),
            ("sync-soft", self.sync_soft),
            ("event", self.event),
            ("event-bg", self.event_back),
            ("event-line", self.event_line),
            ("err", self.error),
            ("err-bg", self.error_back),
            ("err-line", self.error_line),
            ("warn", self.warn),
            ("warn-line", self.warn_line),
            ("ok", self.ok),
        ];
        let names = ["ly-backend", "ly-system", "ly-process", "ly-experience", "ly-consumer"];
        out.extend(names.into_iter().zip(self.layers));
        out
    }
}

pub(super) const DARK: Colours = Colours {
    page: "#0D1015",
    band: "#11151B",
    band_line: "#1B212A",
    card: "#191E27",
    line: "#323C4B",
    dashed: "#6B7789",
    text: "#E7EBF1",
    soft: "#AEB8C6",
    meta: "#8A95A6",
    sync: "#7D8A9C",
    sync_soft: "#4A5566",
    event: "#F2C85B",
    event_back: "#241F12",
    event_line: "#5C4D24",
    error: "#FA6E72",
    error_back: "#2B171B",
    error_line: "#6E2F35",
    warn: "#FF9F55",
    warn_line: "#6B4522",
    ok: "#6CCB94",
    layers: ["#98A4B5", "#95BFFD", "#B277CA", "#46DDBE", "#CDD4DE"],
};

pub(super) const LIGHT: Colours = Colours {
    page: "#F3F4F7",
    band: "#FAFBFC",
    band_line: "#E4E8EE",
    card: "#FFFFFF",
    line: "#C9D0DA",
    dashed: "#7C8797",
    text: "#171B22",
    soft: "#424C5B",
    meta: "#5A6575",
    sync: "#76839A",
    sync_soft: "#B4BDCA",
    event: "#7D5A00",
    event_back: "#FBF4DF",
    event_line: "#DEC98C",
    error: "#C4162A",
    error_back: "#FDEEEE",
    error_line: "#EDB4B8",
    warn: "#A54A00",
    warn_line: "#EBC39C",
    ok: "#1B7645",
    layers: ["#566274", "#0B57B5", "#8A2F86", "#00756A", "#3C4656"],
};
