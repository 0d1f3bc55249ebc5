#!/bin/sh
# Chromium, which keeps to the priority that it is started with, for tests that are to make way for others. Whoever starts
# it gives it a session of its own, and Linux may share the processor out to sessions first; and as root it would raise
# the priority of its own threads.
niceness=$(nice)
if [ "$niceness" -gt 0 ]; then
  read -r _ _ _ _ _ session _ < /proc/self/stat
  if [ "$session" -eq $$ ] && [ -w /proc/self/autogroup ]; then
    echo "$niceness" > /proc/self/autogroup
  fi
  if [ "$(id -u)" -eq 0 ]; then
    exec setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice chromium "$@"
  fi
fi
exec chromium "$@"
