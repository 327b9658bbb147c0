package passthrough

const userEnv = "PASSTHROUGH_TEST_USER"

func asUser(dir string) int { return 0 }
