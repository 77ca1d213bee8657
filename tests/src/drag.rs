//! Files dropped on a window by another program, as a file manager does it: the X protocol for drag and drop, version 5
//! (<https://freedesktop.org/wiki/Specifications/XDND/>).

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, MapState, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_FROM_PARENT, CURRENT_TIME, NONE};

use crate::process::until;

const VERSION: u32 = 5;
/// How long the window may take for each answer.
const WITHIN: Duration = Duration::from_secs(20);

x11rb::atom_manager! {
    /// Names of the protocol.
    Names: NamesCookie {
        XdndAware, XdndEnter, XdndPosition, XdndStatus, XdndDrop, XdndFinished, XdndSelection, XdndActionCopy,
        UriList: b"text/uri-list",
    }
}

/// The program that files are dragged from.
struct Source {
    connection: RustConnection,
    names: Names,
    own: Window,
    files: String,
}

/// Drags files over the middle of the window on a display and drops them there. Gives whether the window said that it took them.
///
/// # Errors
/// If there is no window that takes drops, or it does not answer.
pub fn drop_files(display: &str, files: &[&Path]) -> Result<bool> {
    let (connection, screen) = x11rb::connect(Some(display))?;
    let names = Names::new(&connection)?.reply()?;
    let root = connection.setup().roots[screen].root;
    let own = connection.generate_id()?;
    let aux = CreateWindowAux::new();
    connection.create_window(0, own, root, 0, 0, 1, 1, 0, WindowClass::INPUT_ONLY, COPY_FROM_PARENT, &aux)?.check()?;
    connection.set_selection_owner(own, names.XdndSelection, CURRENT_TIME)?.check()?;
    let uri = |path: &&Path| {
        let uri =
            reqwest::Url::from_file_path(path).ok().with_context(|| format!("{} is no whole path", path.display()));
        uri.map(|uri| format!("{uri}\r\n"))
    };
    let files = files.iter().map(uri).collect::<Result<String>>()?;
    let source = Source { connection, names, own, files };
    let target = until("a window that takes drops", WITHIN, || {
        source.taking(root)?.context("no window says that it takes drops")
    })?;
    source.drop_on(target, root)
}

impl Source {
    /// The first window that is seen and takes drops, of one and all in it.
    fn taking(&self, of: Window) -> Result<Option<Window>> {
        let aware = self.connection.get_property(false, of, self.names.XdndAware, AtomEnum::ATOM, 0, 1)?.reply()?;
        let seen = self.connection.get_window_attributes(of)?.reply()?.map_state == MapState::VIEWABLE;
        if aware.value_len > 0 && seen {
            return Ok(Some(of));
        }
        for child in self.connection.query_tree(of)?.reply()?.children {
            // One may go away meanwhile.
            if let Ok(Some(found)) = self.taking(child) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn drop_on(&self, target: Window, root: Window) -> Result<bool> {
        let names = &self.names;
        self.say(target, names.XdndEnter, [self.own, VERSION << 24, names.UriList, NONE, NONE])?;
        let size = self.connection.get_geometry(target)?.reply()?;
        let (x, y) = (size.width as i16 / 2, size.height as i16 / 2);
        let middle = self.connection.translate_coordinates(target, root, x, y)?.reply()?;
        let at = u32::from(middle.dst_x as u16) << 16 | u32::from(middle.dst_y as u16);
        // A window may say no until it has looked at what is dragged.
        until("the window to want the files", WITHIN, || {
            self.say(target, names.XdndPosition, [self.own, 0, at, CURRENT_TIME, names.XdndActionCopy])?;
            let status = self.answer(names.XdndStatus)?;
            if status[1] & 1 == 0 { bail!("it does not want them") } else { Ok(()) }
        })?;
        self.say(target, names.XdndDrop, [self.own, 0, CURRENT_TIME, 0, 0])?;
        Ok(self.answer(names.XdndFinished)?[1] & 1 == 1)
    }

    fn say(&self, target: Window, kind: Atom, data: [u32; 5]) -> Result<()> {
        let message = ClientMessageEvent::new(32, target, kind, data);
        self.connection.send_event(false, target, EventMask::NO_EVENT, message)?.check()?;
        Ok(())
    }

    /// Waits for a message, and gives the files to whoever asks for them meanwhile.
    fn answer(&self, kind: Atom) -> Result<[u32; 5]> {
        until("an answer of the window", WITHIN, || {
            while let Some(event) = self.connection.poll_for_event()? {
                match event {
                    Event::SelectionRequest(request) => self.give(&request)?,
                    Event::ClientMessage(message) if message.type_ == kind => return Ok(message.data.as_data32()),
                    _ => {}
                }
            }
            bail!("it says nothing")
        })
    }

    fn give(&self, request: &SelectionRequestEvent) -> Result<()> {
        let known = request.target == self.names.UriList;
        if known {
            let (requestor, property) = (request.requestor, request.property);
            let put = self.connection.change_property8(
                PropMode::REPLACE,
                requestor,
                property,
                request.target,
                self.files.as_bytes(),
            );
            put?.check()?;
        }
        let told = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if known { request.property } else { NONE },
        };
        self.connection.send_event(false, request.requestor, EventMask::NO_EVENT, told)?.check()?;
        Ok(())
    }
}
