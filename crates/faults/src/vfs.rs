//! SQLite's file interface (<https://www.sqlite.org/vfs.html>) over the usual one.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::Once;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use crate::{Answer, Asked, with};

/// Ours, in front of the file of the usual interface.
#[repr(C)]
struct Front {
    base: sqlite3_file,
    /// The path, owned; null for files without a name.
    path: *mut PathBuf,
}

/// The usual file behind ours.
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn back(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` asks for room for both, one behind the other; `Front` is a multiple of a pointer's size.
    unsafe { file.cast::<u8>().add(size_of::<Front>()).cast() }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn path_of<'a>(file: *mut sqlite3_file) -> Option<&'a Path> {
    // SAFETY: the path lives until the file is closed.
    unsafe { (*file.cast::<Front>()).path.as_ref().map(PathBuf::as_path) }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn methods<'a>(file: *mut sqlite3_file) -> &'a sqlite3_io_methods {
    // SAFETY: the usual interface sets its methods when it opens a file, and only such files get ours.
    unsafe { &*(*back(file)).pMethods }
}

/// # Safety
/// `vfs` is ours.
unsafe fn usual(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: set by [`register`].
    unsafe { (*vfs).pAppData.cast() }
}

fn answer(path: Option<&Path>, asked: Asked) -> Answer {
    path.and_then(|path| with(path, |s| s.ask(asked))).unwrap_or(Answer::Work)
}

/// Passes a call on to the file behind ours.
macro_rules! pass {
    ($file:ident, $method:ident $(, $argument:expr)*) => {
        // SAFETY: the usual interface has every method of its version; the arguments are SQLite's own.
        unsafe { (methods($file).$method.expect("a method of the usual interface"))(back($file) $(, $argument)*) }
    };
}

/// Passes a call on unless it is to fail.
macro_rules! guarded {
    ($file:ident, $error:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite gives files that we opened.
        match answer(unsafe { path_of($file) }, Asked::Other) {
            Answer::Work => pass!($file, $method $(, $argument)*),
            _ => $error,
        }
    }};
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let done = pass!(file, xClose);
    // SAFETY: made by `open` with `Box::into_raw`, given back once.
    unsafe {
        let path = (*file.cast::<Front>()).path;
        if !path.is_null() {
            drop(Box::from_raw(path));
        }
    }
    done
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see `guarded`.
    match answer(unsafe { path_of(file) }, Asked::Read) {
        Answer::Work => pass!(file, xRead, to, length, at),
        _ => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see `guarded`.
    let path = unsafe { path_of(file) };
    let (length, error) = match answer(path, Asked::Write) {
        Answer::Work => (length, ffi::SQLITE_OK),
        Answer::Half => (length / 2, ffi::SQLITE_IOERR_WRITE),
        Answer::Full => return ffi::SQLITE_FULL,
        _ => return ffi::SQLITE_IOERR_WRITE,
    };
    let done = pass!(file, xWrite, from, length, at);
    if done == ffi::SQLITE_OK
        && let Some(path) = path
    {
        // SAFETY: SQLite gives that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length as usize) };
        with(path, |s| s.images.write(path, at as usize, bytes));
    }
    if done == ffi::SQLITE_OK { error } else { done }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    let done = guarded!(file, ffi::SQLITE_IOERR_TRUNCATE, xTruncate, length);
    // SAFETY: see `guarded`.
    if let Some(path) = unsafe { path_of(file) }
        && done == ffi::SQLITE_OK
    {
        with(path, |s| s.images.truncate(path, length as usize));
    }
    done
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: see `guarded`.
    let Some(path) = (unsafe { path_of(file) }) else { return pass!(file, xSync, flags) };
    let told = with(path, |s| match s.ask(Asked::Sync) {
        Answer::Work => {
            s.images.sync(path);
            ffi::SQLITE_OK
        }
        Answer::Forget => {
            s.images.forget(path);
            ffi::SQLITE_IOERR_FSYNC
        }
        _ => ffi::SQLITE_IOERR_FSYNC,
    });
    // What is durable is kept in mind here: nobody has to wait for the real disk.
    told.unwrap_or_else(|| pass!(file, xSync, flags))
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    guarded!(file, ffi::SQLITE_IOERR_FSTAT, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn reserved(file: *mut sqlite3_file, is: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, is)
}

unsafe extern "C" fn control(file: *mut sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, op, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn characteristics(file: *mut sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    at: *mut *mut c_void,
) -> c_int {
    guarded!(file, ffi::SQLITE_IOERR_SHMMAP, xShmMap, region, size, extend, at)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    pass!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    pass!(file, xShmBarrier)
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

/// Version 2: shared memory for the log, no mapping of the file.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// # Safety
/// `name` is null or a C string.
unsafe fn path_at(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: as promised.
    (!name.is_null()).then(|| PathBuf::from(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()))
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for `szOsFile` bytes, and a name or null.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let path = path_at(name);
        if answer(path.as_deref(), Asked::Other) != Answer::Work {
            return ffi::SQLITE_CANTOPEN;
        }
        let usual = usual(vfs);
        let done = ((*usual).xOpen.expect("xOpen"))(usual, name, back(file), flags, out);
        if done != ffi::SQLITE_OK {
            return done;
        }
        if let Some(path) = &path {
            with(path, |s| s.images.open(path));
        }
        (*file.cast::<Front>()).path = path.map_or(null_mut(), |path| Box::into_raw(Box::new(path)));
        (*file).pMethods = &METHODS;
        done
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: see `open`.
    unsafe {
        let path = path_at(name);
        if answer(path.as_deref(), Asked::Other) != Answer::Work {
            return ffi::SQLITE_IOERR_DELETE;
        }
        let usual = usual(vfs);
        let done = ((*usual).xDelete.expect("xDelete"))(usual, name, sync);
        if let Some(path) = &path
            && done == ffi::SQLITE_OK
        {
            with(path, |s| s.images.remove(path));
        }
        done
    }
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: see `open`.
    unsafe {
        if answer(path_at(name).as_deref(), Asked::Other) != Answer::Work {
            return ffi::SQLITE_IOERR_ACCESS;
        }
        let usual = usual(vfs);
        ((*usual).xAccess.expect("xAccess"))(usual, name, flags, out)
    }
}

unsafe extern "C" fn full_pathname(vfs: *mut sqlite3_vfs, name: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        let usual = usual(vfs);
        ((*usual).xFullPathname.expect("xFullPathname"))(usual, name, room, out)
    }
}

unsafe extern "C" fn randomness(vfs: *mut sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        let usual = usual(vfs);
        ((*usual).xRandomness.expect("xRandomness"))(usual, length, out)
    }
}

unsafe extern "C" fn sleep(vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        let usual = usual(vfs);
        ((*usual).xSleep.expect("xSleep"))(usual, microseconds)
    }
}

unsafe extern "C" fn current_time(vfs: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        let usual = usual(vfs);
        ((*usual).xCurrentTime.expect("xCurrentTime"))(usual, out)
    }
}

unsafe extern "C" fn last_error(vfs: *mut sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    // SAFETY: passed on as it came.
    unsafe {
        let usual = usual(vfs);
        ((*usual).xGetLastError.expect("xGetLastError"))(usual, length, out)
    }
}

/// Makes ours the interface that files are opened by, once per process.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: SQLite's own list of interfaces; ours is never freed.
        unsafe {
            assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
            let usual = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!usual.is_null(), "SQLite has no file interface");
            let mut ours: sqlite3_vfs = std::ptr::read(usual);
            ours.iVersion = 1;
            ours.szOsFile += size_of::<Front>() as c_int;
            ours.pNext = null_mut();
            ours.zName = c"flowglass-faults".as_ptr();
            ours.pAppData = usual.cast();
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            ours.xAccess = Some(access);
            ours.xFullPathname = Some(full_pathname);
            ours.xRandomness = Some(randomness);
            ours.xSleep = Some(sleep);
            ours.xCurrentTime = Some(current_time);
            ours.xGetLastError = Some(last_error);
            let ours = Box::leak(Box::new(ours));
            assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
        }
    });
}
