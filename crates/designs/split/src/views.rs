//! The types, their fields over `struct page`, and the conversions between them.

use std::sync::atomic::AtomicU64;

use mm::memmap::{Memmap, STRUCT_PAGE};
use mm::{Descriptor, Field, SLOT_SIZE, Slot};
use physmem::Kind;

use crate::Mem;

/// Memory of any type, also of one that is not known: all that memcg asks of what it is handed.
pub trait View<'a>: Copy {
    /// The memory, whatever its type; costs nothing.
    fn mem(self) -> Mem<'a>;

    /// Returns the owner word (`memcg_data`), at one offset in every type.
    #[inline]
    fn memcg_data(self) -> &'a AtomicU64 {
        &self.mem().0.memcg_data
    }
}

impl<'a> View<'a> for Mem<'a> {
    #[inline]
    fn mem(self) -> Mem<'a> {
        self
    }
}

/// The memory is not of the type that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the memory is {found:?}, not {asked}")]
pub struct WrongType {
    /// The type that was asked for.
    pub asked: &'static str,
    /// Returns the kind of memory.
    pub found: Kind,
}

/// Makes a type of each line: its kind of memory, its name in the kernel or in the thread, and
/// its fields by offset, which lie over those of `struct page`.
macro_rules! views {
    ($($(#[$about:meta])* $name:ident of $kind:ident = $called:literal {
        $($offset:literal: $field:literal $bytes:literal),+ $(,)?
    })+) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            #[repr(transparent)]
            pub struct $name<'a>(Mem<'a>);

            impl<'a> View<'a> for $name<'a> {
                #[inline]
                fn mem(self) -> Mem<'a> {
                    self.0
                }
            }

            impl<'a> TryFrom<Mem<'a>> for $name<'a> {
                type Error = WrongType;

                #[inline]
                fn try_from(mem: Mem<'a>) -> Result<Self, WrongType> {
                    match mem.kind() {
                        Kind::$kind => Ok(Self(mem)),
                        found => Err(WrongType { asked: $called, found }),
                    }
                }
            }
        )+

        /// Memory whose type has been looked at.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Typed<'a> {
            $(#[doc = concat!("`", $called, "`.")] $name($name<'a>),)+
        }

        impl<'a> Mem<'a> {
            /// The memory as what it is; `None` where it is free.
            #[inline]
            pub fn typed(self) -> Option<Typed<'a>> {
                match self.kind() {
                    $(Kind::$kind => Some(Typed::$name($name(self))),)+
                    Kind::Free => None,
                }
            }
        }

        /// The page, and what lies over it.
        pub(crate) const DESCRIPTORS: &[Descriptor] = &[
            STRUCT_PAGE,
            $(Descriptor {
                name: $called,
                bytes: SLOT_SIZE as usize,
                fields: &[$(Field { name: $field, offset: $offset, size: $bytes }),+],
            }),+
        ];
    };
}

views! {
    /// Anonymous memory.
    AnonMem of Anon = "anon_mem" {
        0: "flags" 8, 8: "lru" 16, 24: "anon_vma" 8, 32: "index" 8, 40: "swap" 8,
        48: "_mapcount" 4, 52: "_refcount" 4, 56: "memcg_data" 8,
    }
    /// Page cache.
    FileMem of File = "file_mem" {
        0: "flags" 8, 8: "lru" 16, 24: "address_space" 8, 32: "index" 8, 40: "private" 8,
        48: "_mapcount" 4, 52: "_refcount" 4, 56: "memcg_data" 8,
    }
    /// A slab. Its reference count is the allocator's own, and its word for memcg a vector of the
    /// owners of its objects.
    Slab of Slab = "slab" {
        0: "flags" 8, 8: "slab_cache" 8, 16: "slab_list" 16, 32: "freelist" 8, 40: "counters" 8,
        48: "page_type" 4, 52: "_refcount" 4, 56: "obj_exts" 8,
    }
    /// A page table.
    PtDesc of PageTable = "ptdesc" {
        0: "flags" 8, 8: "pt_list" 16, 24: "mapping" 8, 32: "pt_mm" 8, 40: "ptl" 8,
        48: "page_type" 4, 52: "_refcount" 4, 56: "pt_memcg_data" 8,
    }
    /// Memory of zsmalloc.
    ZpDesc of Zsmalloc = "zpdesc" {
        0: "flags" 8, 8: "lru" 16, 24: "movable_ops" 8, 32: "next, handle" 8, 40: "zspage" 8,
        48: "first_obj_offset, page_type" 4, 52: "_refcount" 4, 56: "memcg_data" 8,
    }
    /// A kernel stack; the kernel has no type for it.
    StackMem of KernelStack = "stack_mem" {
        0: "flags" 8, 48: "page_type" 4, 52: "_refcount" 4, 56: "memcg_data" 8,
    }
    /// A buffer of a pipe; the kernel has no type for it.
    PipeMem of PipeBuffer = "pipe_mem" {
        0: "flags" 8, 48: "page_type" 4, 52: "_refcount" 4, 56: "memcg_data" 8,
    }
}

impl Mem<'_> {
    /// Returns the kind of memory: from the page type, and for memory that can be mapped from
    /// the low bit of `mapping`.
    #[inline]
    pub fn kind(self) -> Kind {
        Memmap::kind(self.0)
    }
}

/// Words that code reads before it knows the type: where a view keeps them, all views do
/// (`SLAB_MATCH`, `TABLE_MATCH`, `ZPDESC_MATCH`). A view without one does not compile: the search
/// runs off the end of its fields.
const _: () = {
    const COMMON: [(usize, usize); 4] = [
        (std::mem::offset_of!(Slot, flags), 8),
        (std::mem::offset_of!(Slot, mapcount), 4),
        (std::mem::offset_of!(Slot, refcount), 4),
        (std::mem::offset_of!(Slot, memcg_data), 8),
    ];
    let mut view = 0;
    while view < DESCRIPTORS.len() {
        let mut common = 0;
        while common < COMMON.len() {
            let mut field = 0;
            while {
                let of = DESCRIPTORS[view].fields[field];
                of.offset != COMMON[common].0 || of.size != COMMON[common].1
            } {
                field += 1;
            }
            common += 1;
        }
        view += 1;
    }
};
