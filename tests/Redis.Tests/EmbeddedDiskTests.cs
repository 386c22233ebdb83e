using System.Diagnostics;
using Muster.Contracts.Commit;
using Muster.EmbeddedStore;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

/// <summary>The embedded store on a file system of 200 MiB that fills up.</summary>
public sealed class EmbeddedDiskTests : IAsyncLifetime
{
    private const int MebibytesTotal = 200;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-disk-");
    private bool _isMounted;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _isMounted = await RunAsync("mount", "-t", "tmpfs", "-o", $"size={MebibytesTotal}m", "tmpfs", _folder.FullName) == 0;

    public async ValueTask DisposeAsync()
    {
        if (_isMounted)
        {
            await RunAsync("umount", "-l", _folder.FullName);
        }

        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task AFullDisk_RefusesCommitsAndGoesOnWhenThereIsRoom_WhereASmallFileSystemCanBeMounted()
    {
        Assert.SkipUnless(_isMounted, "Mounting a file system of 200 MiB needs root.");
        var id = NoteRecord.IdIn(3, "note");
        await using (var server = EmbeddedStoreServer.Start(_folder.FullName))
        {
            await using var session = StoreSession.Open(server.ConnectionString, server);
            var state = await session.ReadAsync(id);
            await session.WriteAsync(id, state, state.State.Next("before", 1));

            Fill(keepMebibytes: 40);
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
            var refusal = await Assert.ThrowsAsync<StoreFullException>(() => session.WriteAsync(id, state, state.State.Next("full", 1)));
            Assert.Contains(_folder.FullName, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("MiB free", refusal.Message, StringComparison.Ordinal);
            Assert.Equal("before", (await session.ReadAsync(id)).State.Text);

            Empty();
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
            state = await session.ReadAsync(id);
            await session.WriteAsync(id, state, state.State.Next("after", 1));
        }

        await using var again = EmbeddedStoreServer.Start(_folder.FullName);
        await using var fresh = StoreSession.Open(again.ConnectionString, again);
        Assert.Equal("after", (await fresh.ReadAsync(id)).State.Text);
    }

    [Fact]
    public async Task ADiskThatAnotherFilledToTheLastByte_NeverAcknowledgesWhatIsNotThere_WhereASmallFileSystemCanBeMounted()
    {
        Assert.SkipUnless(_isMounted, "Mounting a file system of 200 MiB needs root.");
        var acknowledged = 0;
        await using (var server = EmbeddedStoreServer.Start(_folder.FullName))
        {
            await using var raw = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
            var database = raw.GetDatabase();
            Fill(keepMebibytes: 0);
            for (var i = 1; i <= 50; i++)
            {
                // Past the store's own look at the room.
                await database.HashSetAsync("hash", i, new byte[1 << 20]);
                try
                {
                    await server.CommitAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
                    acknowledged = i;
                }
                catch (Exception fault) when (fault is not (OperationCanceledException or TimeoutException))
                {
                    break;
                }
            }

            Empty();
            Assert.Contains("restart the host", server.FindShortage(), StringComparison.Ordinal);
        }

        await using var again = EmbeddedStoreServer.Start(_folder.FullName);
        await using var fresh = await ConnectionMultiplexer.ConnectAsync(again.ConnectionString);
        Assert.True(await fresh.GetDatabase().HashLengthAsync("hash") >= acknowledged);
    }

    private void Fill(int keepMebibytes)
    {
        using var filler = File.Create(Path.Combine(_folder.FullName, "filler"));
        var block = new byte[1 << 20];
        try
        {
            while (new DriveInfo(_folder.FullName).AvailableFreeSpace > (long)keepMebibytes << 20)
            {
                filler.Write(block);
                filler.Flush();
            }
        }
        catch (IOException)
        {
            // Not a byte more.
        }
    }

    private void Empty() => File.Delete(Path.Combine(_folder.FullName, "filler"));

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }
}
