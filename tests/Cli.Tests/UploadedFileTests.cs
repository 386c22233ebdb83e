using Grpc.Core;
using Muster.Cli.Session;

namespace Muster.Cli.Tests;

public sealed class UploadedFileTests
{
    /// <summary>What the HTTP client says when the server is killed while a part is on its way.</summary>
    [Fact]
    public async Task SendAsync_ServerGoneInMidPart_LeavesTheWordToTheCallsAnswer()
    {
        using var cut = new CancellationTokenSource();
        var stream = new Writer { Fault = new HttpIOException(HttpRequestError.ResponseEnded) };

        await stream.SendAsync(["a", "b", "c"], cut);

        Assert.False(cut.IsCancellationRequested);
        Assert.Equal(["a"], stream.Written);
        Assert.False(stream.Completed);
    }

    [Fact]
    public async Task SendAsync_PartsThatCannotBeRead_CutsTheCall()
    {
        using var cut = new CancellationTokenSource();
        var stream = new Writer();

        await Assert.ThrowsAsync<IOException>(() => stream.SendAsync(Unreadable(), cut));

        Assert.True(cut.IsCancellationRequested);
        Assert.Equal(["a"], stream.Written);
        Assert.False(stream.Completed);

        static IEnumerable<string> Unreadable()
        {
            yield return "a";
            throw new IOException("Input/output error");
        }
    }

    [Fact]
    public async Task SendAsync_AllParts_EndsTheStream()
    {
        using var cut = new CancellationTokenSource();
        var stream = new Writer();

        await stream.SendAsync(["a", "b"], cut);

        Assert.Equal(["a", "b"], stream.Written);
        Assert.True(stream.Completed);
    }

    private sealed class Writer : IClientStreamWriter<string>
    {
        public Exception? Fault { get; init; }

        public List<string> Written { get; } = [];

        public bool Completed { get; private set; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(string message)
        {
            Written.Add(message);
            return Fault is null ? Task.CompletedTask : Task.FromException(Fault);
        }

        public Task WriteAsync(string message, CancellationToken cancellationToken) => WriteAsync(message);

        public Task CompleteAsync()
        {
            Completed = true;
            return Task.CompletedTask;
        }
    }
}
