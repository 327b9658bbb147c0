package guest

import "testing"

func TestWaiting(t *testing.T) {
	yolk, err := yolkWaiting(`virtiofs root (virtio-mmio feb00c00): 1 request queues of 1024 (1 offered), features 0x130000000
  high priority.requests 1
  high priority.notifications 2
  high priority.watched 0
  request 0.requests 10
  request 0.notifications 20
  request 0.watched 81230
`)
	if want := (Waiting{Nanoseconds: 81230, Notifications: 22}); err != nil || yolk != want {
		t.Errorf("Yolk: %+v, %v; want %+v", yolk, err, want)
	}
	linux, err := linuxWaiting(`cpu: 0
  .nohz_mode      : 2
  .idle_sleeptime : 4400100 nsecs
  .iowait_sleeptime: 5 nsecs
cpu: 1
  .idle_sleeptime : 7 nsecs
`)
	if want := (Waiting{Nanoseconds: 4400107}); err != nil || linux != want {
		t.Errorf("Linux: %+v, %v; want %+v", linux, err, want)
	}
	for _, text := range []string{"", "  .idle_sleeptime : \n", "  .idle_sleeptime : x nsecs\n"} {
		if _, err := linuxWaiting(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
