/* Two ways to write a document: scdoc's, for man pages (scdoc(5)), and Markdown. Invariant: no text
 * of the tables can be taken for markup. */
#include <string.h>

#include "manual.h"

/* Writes text with a backslash before each of these characters. */
static void escape(FILE *out, const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (strchr(special, *text) != NULL) {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
}

static void scdoc_text(FILE *out, const char *text)
{
    escape(out, text, "\\*_`#[]~|<>");
}

static void scdoc_title(FILE *out)
{
    fputs("atesctl(1) \"aTES " ATES_VERSION "\" \"aTES\"\n\n# NAME\n\n"
          "atesctl - the command line of aTES\n\n# SYNOPSIS\n\n"
          "*atesctl* \\[_OPTION_...\\] _COMMAND_ \\[_ARGUMENT_...\\]\n\n",
          out);
}

/* The uppermost sections of a man page are in capitals. */
static void scdoc_heading(FILE *out, int level, const char *text)
{
    fputs(level == 1 ? "# " : "## ", out);
    for (; *text != '\0'; text++) {
        fputc(level == 1 && *text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text, out);
    }
    fputs("\n\n", out);
}

static void scdoc_paragraph(FILE *out, const char *text)
{
    scdoc_text(out, text);
    fputs("\n\n", out);
}

static void scdoc_code(FILE *out)
{
    fputs("```\n", out);
}

static void scdoc_end_code(FILE *out)
{
    fputs("```\n\n", out);
}

static void scdoc_item(FILE *out, const char *term, const char *text)
{
    fputc('*', out);
    scdoc_text(out, term);
    fputs("*\n\t", out);
    scdoc_text(out, text);
    fputs("\n\n", out);
}

static void scdoc_end_items(FILE *out)
{
    (void)out;
}

const struct ctl_markup ctl_scdoc = {scdoc_title,    scdoc_heading, scdoc_paragraph, scdoc_code,
                                     scdoc_end_code, scdoc_item,    scdoc_end_items};

static void markdown_text(FILE *out, const char *text)
{
    escape(out, text, "\\*_`<>[]|");
}

static void markdown_title(FILE *out)
{
    fputs("# atesctl\n\nThe reference of aTES's command line, as `atesctl help --markdown` prints "
          "it. "
          "`man atesctl` and\n`atesctl COMMAND --help` say the same, from the same tables.\n\n"
          "    atesctl [OPTION...] COMMAND [ARGUMENT...]\n\n",
          out);
}

static void markdown_heading(FILE *out, int level, const char *text)
{
    fputs(level == 1 ? "## " : "### ", out);
    markdown_text(out, text);
    fputs("\n\n", out);
}

static void markdown_paragraph(FILE *out, const char *text)
{
    markdown_text(out, text);
    fputs("\n\n", out);
}

static void markdown_code(FILE *out)
{
    fputs("```sh\n", out);
}

static void markdown_item(FILE *out, const char *term, const char *text)
{
    fprintf(out, "- `%s`: ", term);
    markdown_text(out, text);
    fputc('\n', out);
}

static void markdown_end_items(FILE *out)
{
    fputc('\n', out);
}

const struct ctl_markup ctl_markdown = {markdown_title,    markdown_heading, markdown_paragraph,
                                        markdown_code,     scdoc_end_code,   markdown_item,
                                        markdown_end_items};
