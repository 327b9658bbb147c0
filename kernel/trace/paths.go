package trace

// pathArgs tells which arguments of a system call are paths, by its number: the first one
// in the lower four bits, a second one in the upper, counted from 1.
var pathArgs = [...]uint8{
	2: 1, 4: 1, 6: 1, // open, stat, lstat
	21: 1, 76: 1, 80: 1, // access, truncate, chdir
	82: 1 | 2<<4, 83: 1, 84: 1, 85: 1, // rename, mkdir, rmdir, creat
	86: 1 | 2<<4, 87: 1, 88: 1 | 2<<4, 89: 1, // link, unlink, symlink, readlink
	90: 1, 92: 1, 94: 1, // chmod, chown, lchown
	132: 1, 133: 1, 137: 1, 161: 1, // utime, mknod, statfs, chroot
	165: 1 | 2<<4, 166: 1, // mount, umount2
	188: 1, 189: 1, 191: 1, 192: 1, 194: 1, 195: 1, 197: 1, 198: 1, // xattr
	235: 1, 254: 2, // utimes, inotify_add_watch
	257: 2, 258: 2, 259: 2, 260: 2, 261: 2, 262: 2, 263: 2, // openat … unlinkat
	264: 2 | 4<<4, 265: 2 | 4<<4, 266: 1 | 3<<4, // renameat, linkat, symlinkat
	267: 2, 268: 2, 269: 2, 280: 2, // readlinkat, fchmodat, faccessat, utimensat
	316: 2 | 4<<4, 319: 1, 332: 2, 437: 2, 439: 2, 452: 2, // renameat2, memfd_create, statx, openat2, faccessat2, fchmodat2
}
