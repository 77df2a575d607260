#!/bin/sh
# An emulator for tests of bad days: it plays what the test wrote into the boot's directory.
. ./play
