//! Real kernels in QEMU as the referee.
