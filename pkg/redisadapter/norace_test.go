package redisadapter

// raceEnabled tells that the race detector is on, under which pools drop what they keep at random.
var raceEnabled bool
