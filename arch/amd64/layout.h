// Fixed places below the image, in the RAM from 1 MiB to 2 MiB, which a PVH boot
// loader leaves free. layout.go has the same numbers for Go.
#define PML4		0x100000
#define PDPT		0x101000
#define PD		0x102000	// 4 pages: the first 4 GiB
#define TABLES_END	0x106000
#define FAKE_G		0x107000	// an all-zero g for code before the runtime
#define TLS_BASE	0x107808	// g lies 8 bytes below
#define GDT		0x108000
#define GDTR		0x108ff0	// behind the last possible descriptor
#define BOOT_STACK	0x170000	// its top
#define LOADER_INFO	0x180000	// two places for that of a Multiboot 2 loader
#define LOADER_SIZE	0x40000		// of each

#define CODE_SEGMENT	0x08
#define DATA_SEGMENT	0x10

#define MSR_EFER	0xc0000080
#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_FMASK	0xc0000084
#define MSR_FS_BASE	0xc0000100
