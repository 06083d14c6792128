/* Subcommands of this room. Each takes its own name as argv[0] and returns the exit status. */
#ifndef LFM_REPORTS_COMMAND_COMMANDS_H
#define LFM_REPORTS_COMMAND_COMMANDS_H

int lfm_command_report(int argc, char **argv);

#endif
