using System.CommandLine;

namespace Muster.Cli.Session;

/// <summary>The verb <c>list</c> of a resource: all its pages as one table, or as JSON.</summary>
internal static class ListVerb
{
    /// <param name="description">What is listed, and in which order.</param>
    /// <param name="filterFields">What the server's filter knows; null for short lists, which have neither filter nor limit.</param>
    /// <param name="columns">Of the table.</param>
    /// <param name="read">Reads one page: its items, and the token of the next.</param>
    /// <param name="takesOrder">Whether the caller can choose the order.</param>
    public static Command Create<TItem>(
        string description,
        string? filterFields,
        IReadOnlyList<(string Header, Func<TItem, string> Value)> columns,
        Func<ListedPage, Task<(IEnumerable<TItem> Items, string NextPageToken)>> read,
        bool takesOrder = false)
        where TItem : class, Google.Protobuf.IMessage
    {
        var command = new Command("list", description);
        var filter = VerbOptions.Filter(filterFields ?? "");
        var limit = VerbOptions.Limit();
        if (filterFields is not null)
        {
            command.Add(filter);
            command.Add(limit);
        }

        var order = new Option<string>("--order-by")
        {
            Description = "Up to three fields separated by commas, each with desc or without; then by name.",
            HelpName = "FIELDS",
            DefaultValueFactory = _ => "",
        };
        if (takesOrder)
        {
            command.Add(order);
        }

        return command.Calls((session, parsed, cancellationToken) =>
        {
            var (text, most) = filterFields is null ? ("", 0) : (parsed.GetRequiredValue(filter), parsed.GetValue(limit));
            var by = takesOrder ? parsed.GetRequiredValue(order) : "";
            var items = Paging.AllAsync(
                (size, token) => read(new ListedPage(session, text, by, size, token, cancellationToken)), most, cancellationToken);
            return session.Output.ShowAsync(items, columns, cancellationToken);
        });
    }
}

/// <summary>One page to ask for.</summary>
internal sealed record ListedPage(
    FleetSession Session, string Filter, string OrderBy, int Size, string Token, CancellationToken CancellationToken)
{
    public string Parent => Session.Parent;
}
