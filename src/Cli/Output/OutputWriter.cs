using Google.Protobuf;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Muster.Cli.Output;

/// <summary>Writes answers: tables for people, protobuf JSON for scripts.</summary>
internal sealed class OutputWriter
{
    /// <summary>Columns when nobody says how wide the terminal is: a digest and a name fit beside each other.</summary>
    private const int WidthDefault = 200;

    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default);

    private readonly TextWriter _writer;

    public OutputWriter(TextWriter writer, bool isJson)
    {
        (_writer, IsJson) = (writer, isJson);
        Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        IsLive = ReferenceEquals(writer, System.Console.Out) && !System.Console.IsOutputRedirected && !isJson;
        if (!IsLive)
        {
            Console.Profile.Width = WidthDefault;
        }
    }

    public IAnsiConsole Console { get; }

    public bool IsJson { get; }

    /// <summary>A person watches a terminal: pictures may move.</summary>
    public bool IsLive { get; }

    /// <summary>One object: JSON, or its fields that are set.</summary>
    public async Task ShowAsync(IMessage message)
    {
        if (IsJson)
        {
            await _writer.WriteLineAsync(Json.Format(message));
        }
        else
        {
            Console.Write(Details.Of(message));
        }
    }

    /// <summary>Objects as they come: a JSON line each, or one table.</summary>
    public async Task ShowAsync<TItem>(
        IAsyncEnumerable<TItem> items,
        IReadOnlyList<(string Header, Func<TItem, string> Value)> columns,
        CancellationToken cancellationToken)
        where TItem : IMessage
    {
        if (IsJson)
        {
            await foreach (var item in items.WithCancellation(cancellationToken))
            {
                await _writer.WriteLineAsync(Json.Format(item));
            }

            return;
        }

        var table = new Table { Border = TableBorder.Minimal };
        foreach (var (header, _) in columns)
        {
            table.AddColumn(new TableColumn(new Text(header)) { NoWrap = true });
        }

        await foreach (var item in items.WithCancellation(cancellationToken))
        {
            table.AddRow(columns.Select(column => (IRenderable)new Text(column.Value(item))));
        }

        Console.Write(table);
    }

    public Task LineAsync(string text) => _writer.WriteLineAsync(text);

    /// <summary>For people only.</summary>
    public Task NoteAsync(string text) => IsJson ? Task.CompletedTask : _writer.WriteLineAsync(text);
}
