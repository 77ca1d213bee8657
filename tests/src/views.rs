//! The product's screens as a person uses them: found by role and accessible name, in the window and in a browser alike.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::process::until;
use crate::webdriver::{Driver, Element};

/// How long something may take to show.
pub const SHOWN_WITHIN: Duration = Duration::from_secs(30);
const FIND: &str = include_str!("page.js");

/// One of the areas of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The map.
    Topology,
    /// The list of journeys and the waterfall.
    Journeys,
    /// The live tail of events.
    Events,
    /// Designs that are simulated and judged.
    Scenarios,
    /// Sources and settings.
    Settings,
}

impl Area {
    /// All of them, from top to bottom.
    pub const ALL: [Area; 5] = [Area::Topology, Area::Journeys, Area::Events, Area::Scenarios, Area::Settings];

    /// Its name in the rail.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Area::Topology => "Topology",
            Area::Journeys => "Journeys",
            Area::Events => "Events",
            Area::Scenarios => "Scenarios",
            Area::Settings => "Settings",
        }
    }

    /// The second key after G.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Area::Topology => "t",
            Area::Journeys => "j",
            Area::Events => "e",
            Area::Scenarios => "s",
            Area::Settings => ",",
        }
    }
}

/// Dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark.
    Dark,
    /// Light.
    Light,
}

impl Theme {
    /// Both.
    pub const ALL: [Theme; 2] = [Theme::Dark, Theme::Light];

    /// Its name, as the page's root carries it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Theme::Dark => "dark",
            Theme::Light => "light",
        }
    }
}

/// The product's page.
pub struct Page<'d>(pub &'d Driver);

impl Page<'_> {
    /// Waits for the first visible element of this role whose name matches the regular expression.
    ///
    /// # Errors
    /// If none shows in time; with the names of those that do.
    pub fn find(&self, role: &str, name: &str) -> Result<Element> {
        until(&format!("a {role} named /{name}/"), SHOWN_WITHIN, || {
            let found = self.0.run(FIND, json!([role, name, false]))?;
            Driver::element(&found).with_context(|| match self.names(role, "") {
                Ok(names) => format!("these are there: {names:?}"),
                Err(error) => error.to_string(),
            })
        })
    }

    /// Names of all visible elements of a role that match.
    ///
    /// # Errors
    /// If the page does not answer.
    pub fn names(&self, role: &str, name: &str) -> Result<Vec<String>> {
        let names = self.0.run(FIND, json!([role, name, true]))?;
        Ok(serde_json::from_value(names)?)
    }

    /// Waits for an element and clicks it. What moved away under the pointer is tried again.
    ///
    /// # Errors
    /// If it does not show or cannot be clicked.
    pub fn click(&self, role: &str, name: &str) -> Result<()> {
        until(&format!("a click on the {role} /{name}/"), SHOWN_WITHIN, || self.0.click(&self.find(role, name)?))
    }

    /// Clicks on the card of a participant. The map may be moving under the pointer while it fills.
    ///
    /// # Errors
    /// If it is not there.
    pub fn select_node(&self, name: &str) -> Result<()> {
        let of = format!("^{}, ", escape(name));
        self.click("button", &of)?;
        self.find("complementary", &escape(name)).map(drop)
    }

    /// Waits until the page's main region says that its data is there.
    ///
    /// # Errors
    /// If that does not happen in time.
    pub fn ready(&self) -> Result<()> {
        until("the view to be ready", SHOWN_WITHIN, || {
            match self.0.run("return document.querySelector('[data-ready=\"true\"]') !== null", json!([]))? {
                Value::Bool(true) => Ok(()),
                _ => bail!("the page reads: {}", self.text()?),
            }
        })
    }

    /// Opens an area by the rail.
    ///
    /// # Errors
    /// If it does not open.
    pub fn open(&self, area: Area) -> Result<()> {
        self.click("link", &format!("^{}", area.name()))?;
        self.shows(area)
    }

    /// Opens an area by the keyboard.
    ///
    /// # Errors
    /// If it does not open.
    pub fn open_by_key(&self, area: Area) -> Result<()> {
        self.0.keys(&["g", area.key()])?;
        self.shows(area)
    }

    /// Waits until an area is the current one and ready.
    ///
    /// # Errors
    /// If it does not come.
    pub fn shows(&self, area: Area) -> Result<()> {
        until(&format!("{} to be open", area.name()), SHOWN_WITHIN, || {
            let script = "return document.querySelector('nav [aria-current=page]')?.textContent.trim() ?? ''";
            match self.0.run(script, json!([]))?.as_str() {
                Some(current) if current == area.name() => Ok(()),
                other => bail!("the current area is {other:?}"),
            }
        })?;
        self.ready()
    }

    /// All text that is seen.
    ///
    /// # Errors
    /// If the page does not answer.
    pub fn text(&self) -> Result<String> {
        let text = self.0.run("return document.body.innerText", json!([]))?;
        Ok(text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Waits until the page says something.
    ///
    /// # Errors
    /// If it does not, with what it says.
    pub fn says(&self, words: &str) -> Result<()> {
        until(&format!("“{words}”"), SHOWN_WITHIN, || {
            let text = self.text()?;
            if text.to_lowercase().contains(&words.to_lowercase()) {
                return Ok(());
            }
            bail!("the page reads: {text}")
        })
    }

    /// Puts a theme on by its button.
    ///
    /// # Errors
    /// If that does not change it.
    pub fn theme(&self, theme: Theme) -> Result<()> {
        let current = || self.0.run("return document.documentElement.dataset.theme", json!([]));
        if current()? == theme.name() {
            return Ok(());
        }
        self.click("button", &format!("^{} theme$", theme.name()))?;
        until("the theme to change", SHOWN_WITHIN, || {
            let now = current()?;
            if now == theme.name() { Ok(()) } else { bail!("it is {now}") }
        })
    }

    /// Names of the cards on the map.
    ///
    /// # Errors
    /// If the page does not answer.
    pub fn cards(&self) -> Result<Vec<String>> {
        let script =
            "return [...document.querySelectorAll('[data-node]')].map((e) => e.getAttribute('aria-label') ?? '')";
        Ok(serde_json::from_value(self.0.run(script, json!([]))?)?)
    }

    /// Waits until a card with this name is on the map.
    ///
    /// # Errors
    /// If there is none, with those that are.
    pub fn card(&self, name: &str) -> Result<String> {
        until(&format!("{name} on the map"), SHOWN_WITHIN, || {
            let cards = self.cards()?;
            let found = cards.iter().find(|card| card.split(',').next().is_some_and(|first| first.trim() == name));
            found.cloned().with_context(|| format!("these are there: {cards:?}"))
        })
    }

    /// Saves a picture when nothing moves any more.
    ///
    /// # Errors
    /// If it cannot.
    pub fn picture(&self, path: &Path) -> Result<()> {
        // Finite animations (fades, the camera) end; endless ones (flow along event edges) belong to the picture.
        let settled = "const done = arguments[arguments.length - 1];
            const moving = document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity);
            Promise.race([Promise.allSettled(moving.map((a) => a.finished)), new Promise((r) => setTimeout(r, 2000))])
              .then(() => document.fonts.ready).then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));";
        self.0.run_async(settled, json!([]))?;
        self.0.screenshot(path)
    }
}

/// A text as a regular expression that matches just it.
#[must_use]
pub fn escape(text: &str) -> String {
    let special = |letter: char| r"\.+*?()|[]{}^$/".contains(letter);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
