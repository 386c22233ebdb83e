using System.Runtime.CompilerServices;

namespace Muster.Cli.Session;

/// <summary>Reads lists page by page.</summary>
internal static class Paging
{
    public const int PageSize = 1000;

    /// <summary>All items of all pages, or the first <paramref name="limit"/> unless it is 0.</summary>
    public static async IAsyncEnumerable<TItem> AllAsync<TItem>(
        Func<int, string, Task<(IEnumerable<TItem> Items, string NextPageToken)>> read,
        int limit,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (token, left) = ("", limit == 0 ? int.MaxValue : limit);
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            var page = await read(Math.Min(PageSize, left), token);
            foreach (var item in page.Items)
            {
                yield return item;
                left--;
            }

            token = page.NextPageToken;
        }
        while (token.Length > 0 && left > 0);
    }
}
