//! Starting kernels from one thread that never ends.
//!
//! The driver asks to be killed when its parent dies, so that nothing is left behind however
//! we end. The host takes the thread that started it for the parent; so no thread that may end
//! before the process may start one.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a program on behalf of the caller.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static THREAD: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let orders = THREAD.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (answer, result) = channel();
    let gone = |_| io::Error::other("the thread that starts kernels has ended");
    orders
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, answer))
        .map_err(|_| gone(()))?;
    result.recv().map_err(|_| gone(()))?
}
