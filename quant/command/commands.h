/* Subcommands of this room. Each takes its own name as argv[0] and returns the exit status. */
#ifndef LFM_QUANT_COMMAND_COMMANDS_H
#define LFM_QUANT_COMMAND_COMMANDS_H

int lfm_command_perplexity(int argc, char **argv);
int lfm_command_quantize(int argc, char **argv);
int lfm_command_compare(int argc, char **argv);
int lfm_command_ledger(int argc, char **argv);
int lfm_command_attribute(int argc, char **argv);
int lfm_command_routing(int argc, char **argv);
int lfm_command_bench(int argc, char **argv);

#endif
