//! Just enough of the X11 protocol to see that a client shows a picture and to close its window in order.
//!
//! A window manager closes a window by sending it WM_DELETE_WINDOW; xdotool in Debian 12 can only destroy it or kill
//! the client, and both end an RDP client with an error. Forty-odd bytes over the display's Unix socket do it.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const WM_NAME: u32 = 39;
const VIEWABLE: u8 = 2;
const CLIENT_MESSAGE: u8 = 33;

/// One connection to a display without access control, as Xvfb runs here.
pub struct Connection {
    stream: UnixStream,
    root: u32,
}

/// One window, by its X11 id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window(u32);

/// What a window shows: width, height, and its pixels, red, green, blue.
#[derive(Debug, PartialEq, Eq)]
pub struct Image {
    pub size: (u16, u16),
    pub pixels: Vec<[u8; 3]>,
}

impl Image {
    /// One of its pixels.
    pub fn at(&self, x: u16, y: u16) -> Option<[u8; 3]> {
        self.pixels.get(usize::from(y) * usize::from(self.size.0) + usize::from(x)).copied()
    }
}

impl Connection {
    /// Connects to display `:number`.
    pub fn open(number: u32) -> io::Result<Self> {
        let mut stream = UnixStream::connect(format!("/tmp/.X11-unix/X{number}"))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        // Byte order (little endian), protocol 11.0, no authorisation.
        stream.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let mut setup = vec![0; 4 * usize::from(u16_at(&head, 6))];
        stream.read_exact(&mut setup)?;
        if head[0] != 1 {
            return Err(io::Error::other(format!("the X server refused: {}", String::from_utf8_lossy(&setup))));
        }
        // After 32 fixed bytes: the vendor's name, padded to four; eight bytes per pixmap format; the first screen.
        let screen = 32 + usize::from(u16_at(&setup, 16)).next_multiple_of(4) + 8 * usize::from(setup[21]);
        Ok(Connection { stream, root: u32_at(&setup, screen) })
    }

    /// The viewable top-level window with exactly this title.
    pub fn find(&mut self, title: &str) -> io::Result<Option<Window>> {
        for window in self.top_level()? {
            // A window can vanish between two requests: that is "not this one", not an error.
            let named = self.name(window).is_ok_and(|name| name == title);
            if named && self.is_viewable(window).unwrap_or(false) {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// Whether anything but black is drawn in the middle of the window.
    pub fn shows_a_picture(&mut self, window: Window) -> io::Result<bool> {
        // GetGeometry
        let geometry = self.ask(&request(14, 0, &[window.0]))?;
        let (width, height) = (u16_at(&geometry, 16), u16_at(&geometry, 18));
        let corner = u32::from(width / 2) | u32::from(height / 2) << 16;
        // GetImage, ZPixmap: window, x and y, width and height, plane mask
        let image = self.ask(&request(73, 2, &[window.0, corner, 4 | 4 << 16, 0x00ff_ffff]))?;
        Ok(image[32..].iter().any(|&byte| byte != 0))
    }

    /// What the window shows, without the pointer.
    pub fn image(&mut self, window: Window) -> io::Result<Image> {
        // GetGeometry
        let geometry = self.ask(&request(14, 0, &[window.0]))?;
        let size = (u16_at(&geometry, 16), u16_at(&geometry, 18));
        // GetImage, ZPixmap: 32 bits for each pixel, blue first
        let whole = u32::from(size.0) | u32::from(size.1) << 16;
        let image = self.ask(&request(73, 2, &[window.0, 0, whole, 0x00ff_ffff]))?;
        let pixels = image[32..].chunks_exact(4).map(|pixel| [pixel[2], pixel[1], pixel[0]]);
        let pixels = pixels.take(usize::from(size.0) * usize::from(size.1)).collect();
        Ok(Image { size, pixels })
    }

    /// Asks the window's client to close it, as a person does with the X in its corner.
    pub fn close(&mut self, window: Window) -> io::Result<()> {
        let (protocols, delete) = (self.atom("WM_PROTOCOLS")?, self.atom("WM_DELETE_WINDOW")?);
        let event_head = u32::from_le_bytes([CLIENT_MESSAGE, 32, 0, 0]);
        let event = [event_head, window.0, protocols, delete, 0, 0, 0, 0];
        // SendEvent without propagation: destination, event mask, the event's 32 bytes
        let mut words = vec![window.0, 0];
        words.extend(event);
        self.stream.write_all(&request(25, 0, &words))?;
        // SendEvent has no reply: one more round trip shows that the server has read it.
        self.top_level().map(drop)
    }

    /// Has the X server cut off the client that owns the window.
    pub fn cut_off(&mut self, window: Window) -> io::Result<()> {
        // KillClient
        self.stream.write_all(&request(113, 0, &[window.0]))?;
        self.top_level().map(drop)
    }

    fn top_level(&mut self) -> io::Result<Vec<Window>> {
        // QueryTree
        let tree = self.ask(&request(15, 0, &[self.root]))?;
        Ok(tree[32..].chunks_exact(4).map(|id| Window(u32_at(id, 0))).collect())
    }

    fn name(&mut self, window: Window) -> io::Result<String> {
        // GetProperty: window, property, any type, offset, length in words
        let property = self.ask(&request(20, 0, &[window.0, WM_NAME, 0, 0, 64]))?;
        let length = u32_at(&property, 16) as usize;
        Ok(String::from_utf8_lossy(&property[32..][..length]).into_owned())
    }

    fn is_viewable(&mut self, window: Window) -> io::Result<bool> {
        // GetWindowAttributes
        Ok(self.ask(&request(3, 0, &[window.0]))?[26] == VIEWABLE)
    }

    fn atom(&mut self, name: &str) -> io::Result<u32> {
        let mut padded = name.as_bytes().to_vec();
        padded.resize(name.len().next_multiple_of(4), 0);
        let mut words = vec![name.len() as u32];
        words.extend(padded.chunks_exact(4).map(|word| u32_at(word, 0)));
        // InternAtom
        Ok(u32_at(&self.ask(&request(16, 0, &words))?, 8))
    }

    /// Sends one request and returns its whole reply; events in between are skipped, an X error becomes an `Err`.
    fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request)?;
        loop {
            let mut reply = vec![0; 32];
            self.stream.read_exact(&mut reply)?;
            match reply[0] {
                0 => return Err(io::Error::other(format!("X error {} for request {}", reply[1], request[0]))),
                1 => {
                    reply.resize(32 + 4 * u32_at(&reply, 4) as usize, 0);
                    self.stream.read_exact(&mut reply[32..])?;
                    return Ok(reply);
                }
                _ => continue,
            }
        }
    }
}

/// A request: opcode, one byte of data, its length in words, the words.
fn request(opcode: u8, data: u8, words: &[u32]) -> Vec<u8> {
    let mut bytes = vec![opcode, data];
    bytes.extend((words.len() as u16 + 1).to_le_bytes());
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
