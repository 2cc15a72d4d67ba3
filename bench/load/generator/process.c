#include "process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "die.h"

uint64_t process_cpu_ns(int pid) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *folder = opendir(path);
  if (folder == NULL) die("there is no process %d", pid);
  uint64_t total = 0;
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, entry->d_name);
    FILE *file = fopen(path, "r");
    /* The thread has ended since. */
    if (file == NULL) continue;
    uint64_t ns = 0;
    if (fscanf(file, "%" SCNu64, &ns) == 1) total += ns;
    fclose(file);
  }
  closedir(folder);
  return total;
}

uint64_t process_resident(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  uint64_t all = 0, resident = 0;
  if (file == NULL || fscanf(file, "%" SCNu64 " %" SCNu64, &all, &resident) != 2) die("there is no process %d", pid);
  fclose(file);
  return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
